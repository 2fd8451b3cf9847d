#pragma once
// Calls components of the data path as the host does: transforms, collators, data sources,
// samplers; and weights profiles.
#include <vissl/collator.h>
#include <vissl/data_source.h>
#include <vissl/sampler.h>
#include <vissl/transform.h>
#include <vissl/weights.h>
#include <vissl/weights_scheme.h>
#include <vissl/test/samples.hpp>

namespace vissl {
namespace test VISSL_HIDDEN {

class Transform {
 public:
  Transform(Instance instance) : instance_(std::move(instance)) {}
  // Runs on one image with the stream of `sample`'s view 0, or on every image of the sample's
  // "data".
  void operator()(FakeImage& image, std::uint64_t seed = 0) const {
    FakeSample sample;
    sample.seed = seed;
    vissl_rng stream = sample.rng(0);
    vissl::call(image_method(), instance_.handle(), image.handle(), &stream);
    image.settle();
  }
  void operator()(FakeSample& sample) const {
    if (table().apply_sample != nullptr) {
      vissl::call(table().apply_sample, instance_.handle(), sample.handle());
      for (auto& [key, entries] : sample.lists) {
        for (FakeSample::Entry& entry : entries) {
          if (entry.image != nullptr) entry.image->settle();
        }
      }
      return;
    }
    for (std::size_t i = 0; i < sample.list("data").size(); ++i) {
      vissl_rng stream = sample.rng(i);
      vissl::call(image_method(), instance_.handle(), sample.image("data", i).handle(), &stream);
      sample.image("data", i).settle();
    }
  }
  const Instance& instance() const { return instance_; }

 private:
  const vissl_transform_class& table() const {
    return instance_.table<vissl_transform_class>(VISSL_TRANSFORM_ID);
  }
  vissl_status (*image_method() const)(void*, vissl_image*, vissl_rng*, vissl_err*) {
    if (table().apply_image == nullptr)
      fail(VISSL_E_UNSUPPORTED, "the transform works on whole samples");
    return table().apply_image;
  }
  Instance instance_;
};

// The batch of the samples: layout with the first, then every row, the last one first, then finish.
inline std::unique_ptr<FakeBatch> collate(const Instance& collator,
                                          std::vector<FakeSample>& samples,
                                          std::uint64_t seed = 0) {
  const auto& table = collator.table<vissl_collator_class>(VISSL_COLLATOR_ID);
  auto batch = std::make_unique<FakeBatch>();
  batch->seed = seed;
  const auto count = static_cast<std::int64_t>(samples.size());
  vissl::call(table.layout, collator.handle(), samples.at(0).handle(), count, batch->handle());
  for (std::int64_t i = count; i-- > 0;) {
    vissl::call(table.place, collator.handle(), i, count,
                samples[static_cast<std::size_t>(i)].handle(), batch->handle());
  }
  if (table.finish != nullptr) vissl::call(table.finish, collator.handle(), batch->handle());
  return batch;
}

class Source {
 public:
  Source(Instance instance) : instance_(std::move(instance)) {
    vissl::call(table().open, instance_.handle());
  }
  std::int64_t length() const { return table().length(instance_.handle()); }
  // One class, or the classes of a multi-label element. VISSL_E_UNSUPPORTED without labels.
  std::vector<std::int64_t> label(std::int64_t i) const {
    vissl_array out = {};
    out.size = sizeof out;
    vissl::call(table().label, instance_.handle(), i, &out);
    return to_vector<std::int64_t>(out);
  }
  std::string path(std::int64_t i) const {
    return std::string(view(table().path(instance_.handle(), i)));
  }
  std::int64_t class_count() const { return table().class_count(instance_.handle()); }
  std::string class_name(std::int64_t k) const {
    return std::string(view(table().class_name(instance_.handle(), k)));
  }
  bool has_reader() const { return table().reader_create != nullptr; }
  // Reads with a new reader.
  FakeImage read(std::int64_t i) const {
    if (!has_reader()) fail(VISSL_E_UNSUPPORTED, "the source has labels only");
    void* reader = nullptr;
    vissl::call(table().reader_create, instance_.handle(), &reader);
    FakeImage image;
    ErrorSink sink;
    const vissl_status status = table().read(reader, i, image.handle(), sink);
    table().reader_destroy(reader);
    check(status, sink);
    return image;
  }
  const Instance& instance() const { return instance_; }

 private:
  const vissl_data_source_class& table() const {
    return instance_.table<vissl_data_source_class>(VISSL_DATA_SOURCE_ID);
  }
  Instance instance_;
};

// All batches of a phase.
inline std::vector<std::vector<std::int64_t>> batches_of(const Instance& sampler,
                                                         vissl_sampler_open args) {
  const auto& table = sampler.table<vissl_sampler_class>(VISSL_SAMPLER_ID);
  args.size = sizeof args;
  vissl::call(table.open, sampler.handle(), &args);
  std::vector<std::vector<std::int64_t>> all;
  for (std::int64_t k = 0; k < table.batch_count(sampler.handle()); ++k) {
    const std::int64_t* indices = nullptr;
    std::uint64_t count = 0;
    vissl::call(table.batch, sampler.handle(), k, &indices, &count);
    all.emplace_back(indices, indices + count);
  }
  return all;
}

struct NamedShape {
  std::string name;
  std::vector<std::int64_t> shape;
};
// What the host tells of each; borrows the names.
inline std::vector<vissl_weights_entry> weights_entries(const std::vector<NamedShape>& list) {
  std::vector<vissl_weights_entry> entries;
  for (const NamedShape& item : list) {
    vissl_weights_entry entry = {};
    entry.size = sizeof entry;
    entry.name = str(item.name);
    entry.dtype = VISSL_F32;
    entry.ndim = static_cast<std::uint32_t>(item.shape.size());
    std::copy(item.shape.begin(), item.shape.end(), entry.shape);
    entries.push_back(entry);
  }
  return entries;
}

// The plan as text: "load a -> b", "adapt a -> b (what)", "ignore a (why)", "skip b (why)", "say
// LEVEL: line".
inline std::vector<std::string> plan_weights(const Instance& profile,
                                             const std::vector<NamedShape>& source,
                                             const std::vector<NamedShape>& targets) {
  struct Plan {
    std::vector<std::string> lines;
    const std::vector<NamedShape>* source;
    static Plan& of(void* self) { return *static_cast<Plan*>(self); }
    const std::string& name(std::uint64_t i) const {
      return source->at(static_cast<std::size_t>(i)).name;
    }
  };
  Plan plan = {{}, &source};
  const vissl_weights_sink sink = {
      sizeof(vissl_weights_sink),
      &plan,
      [](void* self, std::uint64_t entry, vissl_str target) {
        Plan& p = Plan::of(self);
        p.lines.push_back("load " + p.name(entry) + " -> " + std::string(view(target)));
      },
      [](void* self, std::uint64_t entry, vissl_str reason) {
        Plan& p = Plan::of(self);
        p.lines.push_back("ignore " + p.name(entry) + " (" + std::string(view(reason)) + ")");
      },
      [](void* self, vissl_str target, vissl_str reason) {
        Plan::of(self).lines.push_back("skip " + std::string(view(target)) + " (" +
                                       std::string(view(reason)) + ")");
      },
      [](void* self, const std::uint64_t* entries, std::uint64_t count, vissl_str target,
         std::uint64_t, vissl_str what) {
        Plan& p = Plan::of(self);
        std::string names;
        for (std::uint64_t i = 0; i < count; ++i)
          names += (i == 0 ? "" : ", ") + p.name(entries[i]);
        p.lines.push_back("adapt " + names + " -> " + std::string(view(target)) + " (" +
                          std::string(view(what)) + ")");
      },
      [](void* self, std::uint32_t level, vissl_str line) {
        Plan::of(self).lines.push_back("say " + std::to_string(level) + ": " +
                                       std::string(view(line)));
      }};
  const std::vector<vissl_weights_entry> from = weights_entries(source),
                                         to = weights_entries(targets);
  const auto& table = profile.table<vissl_weights_profile_class>(VISSL_WEIGHTS_PROFILE_ID);
  vissl::call(table.plan, profile.handle(), from.data(), std::uint64_t{from.size()}, to.data(),
              std::uint64_t{to.size()}, &sink);
  return plan.lines;
}

// What vissl-host convert would ask for.
struct RenameOptions {
  std::string to, from, part, container = "torch";
  std::uint32_t depth = 0, flags = 0;
};
// The answer as text: "keep a -> place/b", with " reversed" after it, "drop a (why)",
// "fill place/b like a = 1", "text a = b", "flag a = 1", "say LEVEL: line".
inline std::vector<std::string> rename_weights(const Instance& profile,
                                               const std::vector<NamedShape>& source,
                                               const RenameOptions& options) {
  const std::vector<vissl_weights_entry> entries = weights_entries(source);
  struct Answer {
    std::vector<std::string> lines;
    const std::vector<NamedShape>* source;
    static Answer& of(void* self) { return *static_cast<Answer*>(self); }
    const std::string& name(std::uint64_t i) const {
      return source->at(static_cast<std::size_t>(i)).name;
    }
    static std::string at(vissl_str place, vissl_str name) {
      return std::string(view(place)) + (place.size == 0 ? "" : "/") + std::string(view(name));
    }
  };
  Answer answer = {{}, &source};
  const vissl_weights_rename_sink sink = {
      sizeof(vissl_weights_rename_sink),
      &answer,
      [](void* self, std::uint64_t entry, vissl_str place, vissl_str name, std::uint32_t change) {
        Answer& a = Answer::of(self);
        a.lines.push_back("keep " + a.name(entry) + " -> " + Answer::at(place, name) +
                          (change == 0 ? "" : " reversed"));
      },
      [](void* self, std::uint64_t entry, vissl_str reason) {
        Answer& a = Answer::of(self);
        a.lines.push_back("drop " + a.name(entry) + " (" + std::string(view(reason)) + ")");
      },
      [](void* self, std::uint64_t like, vissl_str place, vissl_str name, double value) {
        Answer& a = Answer::of(self);
        a.lines.push_back("fill " + Answer::at(place, name) + " like " + a.name(like) + " = " +
                          std::to_string(static_cast<int>(value)));
      },
      [](void* self, vissl_str name, vissl_str value) {
        Answer::of(self).lines.push_back("text " + std::string(view(name)) + " = " +
                                         std::string(view(value)));
      },
      [](void* self, vissl_str name, std::int32_t value) {
        Answer::of(self).lines.push_back("flag " + std::string(view(name)) + " = " +
                                         std::to_string(value));
      },
      [](void* self, std::uint32_t level, vissl_str line) {
        Answer::of(self).lines.push_back("say " + std::to_string(level) + ": " +
                                         std::string(view(line)));
      }};
  vissl_weights_rename_request request = {};
  request.size = sizeof request;
  request.source = entries.data();
  request.source_count = entries.size();
  request.to = str(options.to);
  request.from = str(options.from);
  request.part = str(options.part);
  request.container = str(options.container);
  request.depth = options.depth;
  request.flags = options.flags;
  const auto& table = profile.table<vissl_weights_profile_class>(VISSL_WEIGHTS_PROFILE_ID);
  vissl::call(table.rename, profile.handle(), &request, &sink);
  return answer.lines;
}

// What a weights scheme answers, and what it said on the way.
struct ResolvedWeights {
  std::string place;
  std::vector<std::string> infos, warnings;
  std::uint64_t done_bytes = 0, total_bytes = 0;  // of the last progress
};
inline ResolvedWeights ask_for_weights(const Instance& scheme, std::string_view locator,
                                       std::string_view sha256 = "") {
  ResolvedWeights result;
  vissl_weights_request request = {};
  request.size = sizeof request;
  request.locator = str(locator);
  request.sha256 = str(sha256);
  request.self = &result;
  request.log = [](void* self, std::uint32_t level, vissl_str text) {
    auto& answer = *static_cast<ResolvedWeights*>(self);
    (level >= 2 ? answer.warnings : answer.infos).emplace_back(view(text));
  };
  request.progress = [](void* self, std::uint64_t done, std::uint64_t total) {
    auto& answer = *static_cast<ResolvedWeights*>(self);
    answer.done_bytes = done;
    answer.total_bytes = total;
  };
  const vissl_out out = {sizeof(vissl_out), &result.place,
                         [](void* self, const void* data, std::uint64_t bytes) {
                           static_cast<std::string*>(self)->append(static_cast<const char*>(data),
                                                                   static_cast<std::size_t>(bytes));
                           return bytes;
                         }};
  vissl::call(scheme.table<vissl_weights_scheme_class>(VISSL_WEIGHTS_SCHEME_ID).resolve,
              scheme.handle(), &request, &out);
  return result;
}

// "name place" for every name that a weights scheme tells; empty when it tells none.
inline std::vector<std::string> known_weights(const Instance& scheme) {
  std::vector<std::string> lines;
  const auto& table = scheme.table<vissl_weights_scheme_class>(VISSL_WEIGHTS_SCHEME_ID);
  if (table.names == nullptr) return lines;
  vissl::call(
      table.names, scheme.handle(), static_cast<void*>(&lines),
      +[](void* self, vissl_str name, vissl_str place) {
        static_cast<std::vector<std::string>*>(self)->push_back(std::string(view(name)) + " " +
                                                                std::string(view(place)));
      });
  return lines;
}

// Where a weights scheme says that `locator` leads.
inline std::string resolve_weights(const Instance& scheme, std::string_view locator) {
  return ask_for_weights(scheme, locator).place;
}

}  // namespace test
}  // namespace vissl
