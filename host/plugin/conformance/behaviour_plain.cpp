// Samplers, schedules, data sources, weights, and the state of instances that are not built.
#include <vissl/data_source.h>
#include <vissl/lr_schedule.h>
#include <vissl/sampler.h>
#include <vissl/state.h>
#include <vissl/weights.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "host/data/image.hpp"
#include "host/plugin/conformance/behaviour_checks.hpp"
#include "host/plugin/conformance/state_rules.hpp"

namespace vissl::host {
namespace {

constexpr Outcome kFail = Outcome::fail;

using Batches = std::vector<std::vector<std::int64_t>>;

struct Labels {
  std::vector<std::int64_t> values;
  explicit Labels(std::int64_t length) {
    for (std::int64_t i = 0; i < length; ++i) values.push_back(i % 3);
  }
};

vissl_sampler_open phase_of(std::int64_t length, const Labels& labels, std::int64_t rank,
                            std::int64_t world, std::int64_t epoch, bool training) {
  return {sizeof(vissl_sampler_open),
          length,
          labels.values.data(),
          4,
          epoch,
          rank,
          world,
          7,
          training ? 1u : 0u,
          training ? 1u : 0u};
}

std::vector<std::int64_t> batch_of(const Made& sampler, std::int64_t k) {
  const std::int64_t* indices = nullptr;
  std::uint64_t count = 0;
  must("batch", [&](vissl_err* err) {
    return sampler.as<vissl_sampler_class>().batch(sampler.self(), k, &indices, &count, err);
  });
  if (indices == nullptr && count != 0) judge_wrong("batch gives a count and no indices");
  return {indices, indices + count};
}

std::int64_t count_of(const Made& sampler) {
  const std::int64_t count = enter(
      "batch_count", [&] { return sampler.as<vissl_sampler_class>().batch_count(sampler.self()); });
  if (count < 0 || count > 1000)
    judge_wrong("batch_count is " + std::to_string(count) + " for fewer than 100 samples");
  return count;
}

Batches batches_of(const Made& sampler, const vissl_sampler_open& phase) {
  must("open", [&](vissl_err* err) {
    return sampler.as<vissl_sampler_class>().open(sampler.self(), &phase, err);
  });
  Batches batches;
  for (std::int64_t k = 0; k < count_of(sampler); ++k) batches.push_back(batch_of(sampler, k));
  return batches;
}

struct Memory {
  std::string bytes;
  std::size_t read = 0;
};

}  // namespace

Verdict check_sampler_indices(Subject& subject) {
  const Made sampler = subject.create(subject.config());
  for (const std::int64_t length : {8, 37})
    for (const std::int64_t world : {1, 2})
      for (std::int64_t rank = 0; rank < world; ++rank)
        for (const bool training : {true, false}) {
          const Labels labels(length);
          const Batches batches =
              batches_of(sampler, phase_of(length, labels, rank, world, 1, training));
          for (std::size_t k = 0; k < batches.size(); ++k) {
            if (batches[k].size() > 4)
              return {kFail, "batch " + std::to_string(k) + " holds " +
                                 std::to_string(batches[k].size()) +
                                 " positions although the batch size is 4"};
            for (const std::int64_t index : batches[k])
              if (index < 0 || index >= length)
                return {kFail, "batch " + std::to_string(k) + " names position " +
                                   std::to_string(index) + " of a split of " +
                                   std::to_string(length) + " samples (rank " +
                                   std::to_string(rank) + " of " + std::to_string(world) + ")"};
          }
        }
  return {};
}

Verdict check_sampler_repeats(Subject& subject) {
  const Labels labels(37);
  const vissl_sampler_open phase = phase_of(37, labels, 0, 1, 3, true);
  const Made sampler = subject.create(subject.config());
  const Batches first = batches_of(sampler, phase);
  for (std::size_t k = first.size(); k-- > 0;)
    if (batch_of(sampler, static_cast<std::int64_t>(k)) != first[k])
      return {kFail, "batch " + std::to_string(k) +
                         " differs when it is asked for again; a resume asks for any batch, so it "
                         "may depend on nothing but k"};
  batches_of(sampler, phase_of(37, labels, 0, 1, 4, true));
  if (batches_of(sampler, phase) != first)
    return {kFail, "the same phase has other batches after another phase was opened"};
  const Made other = subject.create(subject.config());
  if (batches_of(other, phase) != first)
    return {kFail,
            "two instances give other batches for the same phase; draw from the phase's "
            "seed and epoch alone"};
  return {};
}

Verdict check_schedule_pure(Subject& subject) {
  const Made schedule = subject.create(subject.config()), other = subject.create(subject.config());
  const auto value = [](const Made& made, int i) {
    const vissl_schedule_at at{sizeof(at), i / 20.0, i / 2, 10};
    double out = 0.0;
    must("value", [&](vissl_err* err) {
      return made.as<vissl_lr_schedule_class>().value(made.self(), &at, &out, err);
    });
    return out;
  };
  std::vector<double> first;
  for (int i = 0; i < 20; ++i) first.push_back(value(schedule, i));
  for (int i = 20; i-- > 0;) {
    const double x = first[static_cast<std::size_t>(i)];
    const std::string where = std::to_string(5 * i) + " % of the run";
    if (!std::isfinite(x)) return {kFail, "its value at " + where + " is not finite"};
    if (value(schedule, i) != x)
      return {kFail, "its value at " + where +
                         " differs when it is asked for again; it may depend on progress alone"};
    if (value(other, i) != x) return {kFail, "two instances have different values at " + where};
  }
  return {};
}

Verdict check_source_reads(Subject& subject) {
  const Made source = subject.create(subject.config());
  const auto& table = source.as<vissl_data_source_class>();
  ErrorSink sink;
  const vissl_status opened =
      status_of("open", sink, [&](vissl_err* err) { return table.open(source.self(), err); });
  if (opened == VISSL_E_DATA) judge_skipped("its data is not there: " + sink.text());
  if (opened != VISSL_OK) judge_wrong("open fails: " + sink.text());
  const std::int64_t length = enter("length", [&] { return table.length(source.self()); });
  if (length < 0) return {kFail, "its length is " + std::to_string(length)};
  if (const std::int64_t again = enter("length", [&] { return table.length(source.self()); });
      again != length)
    return {kFail, "its length was " + std::to_string(length) + " and is " + std::to_string(again) +
                       " when it is asked for again; after open a source stays as it is"};
  const std::int64_t classes =
      enter("class_count", [&] { return table.class_count(source.self()); });
  const auto pixels = [&](void* reader, std::int64_t i) {
    Image image;
    must("read of element " + std::to_string(i) + " of " + std::to_string(length),
         [&](vissl_err* err) { return table.read(reader, i, handle(&image), err); });
    if (image.empty()) judge_wrong("read leaves the image empty");
    const pixel::Pixels& content = image.pixels();
    return std::string(reinterpret_cast<const char*>(content.data()), content.size_bytes());
  };
  void *first = nullptr, *second = nullptr;
  if (table.read != nullptr) {
    for (void** reader : {&first, &second})
      must("reader_create",
           [&](vissl_err* err) { return table.reader_create(source.self(), reader, err); });
  }
  std::vector<std::int64_t> elements;
  for (std::int64_t i = 0; i < std::min<std::int64_t>(length, 5); ++i) elements.push_back(i);
  if (length > 5) elements.push_back(length - 1);
  for (const std::int64_t i : elements) {
    vissl_array label{};
    label.size = sizeof label;
    ErrorSink text;
    const vissl_status status = status_of("label", text, [&](vissl_err* err) {
      const vissl_status s = table.label(source.self(), i, &label, err);
      if (s == VISSL_E_UNSUPPORTED && err->set != nullptr) err->set(err, s, {"none", 4});
      return s;
    });
    if (status != VISSL_OK && status != VISSL_E_UNSUPPORTED)
      judge_wrong("the label of element " + std::to_string(i) + " of " + std::to_string(length) +
                  " fails: " + text.text());
    if (status == VISSL_OK && label.ndim == 0 && label.dtype == VISSL_I64 && classes > 0) {
      std::int64_t k = 0;
      std::memcpy(&k, label.data, sizeof k);
      if (k >= classes)
        return {kFail, "the label of element " + std::to_string(i) + " is " + std::to_string(k) +
                           " although there are " + std::to_string(classes) + " classes"};
    }
    const vissl_str path = enter("path", [&] { return table.path(source.self(), i); });
    if (path.size == 0) return {kFail, "path is empty, so messages cannot name the sample"};
    if (table.read == nullptr) continue;
    const std::string once = pixels(first, i);
    if (pixels(first, i) != once || pixels(second, i) != once)
      return {kFail, "element " + std::to_string(i) +
                         " has other pixels when it is read again or by another reader"};
  }
  for (void* reader : {first, second})
    if (reader != nullptr) enter("reader_destroy", [&] { table.reader_destroy(reader); });
  return {Outcome::ok, std::to_string(length) + " elements"};
}

Verdict check_weights_plan(Subject& subject) {
  const Made profile = subject.create(subject.config());
  const std::vector<std::string> names = {"a.weight", "a.bias", "model.b.weight"};
  std::vector<vissl_weights_entry> entries;
  for (const std::string& name : names)
    entries.push_back({sizeof(vissl_weights_entry),
                       {name.data(), name.size()},
                       VISSL_F32,
                       2,
                       {4, 3, 0, 0, 0, 0, 0, 0}});
  struct Plan {
    std::vector<std::string> lines;
    std::uint64_t largest = 0;
  };
  const auto plan = [&] {
    Plan made;
    vissl_weights_sink sink{};
    sink.size = sizeof sink;
    sink.self = &made;
    sink.load = [](void* self, std::uint64_t entry, vissl_str target) {
      auto& to = *static_cast<Plan*>(self);
      to.largest = std::max(to.largest, entry);
      to.lines.push_back(std::to_string(entry) + " -> " +
                         std::string(target.data, static_cast<std::size_t>(target.size)));
    };
    sink.compute = [](void* self, const std::uint64_t* sources, std::uint64_t count,
                      vissl_str target, std::uint64_t recipe, vissl_str) {
      auto& to = *static_cast<Plan*>(self);
      std::string line = std::string(target.data, static_cast<std::size_t>(target.size)) +
                         " by recipe " + std::to_string(recipe) + " of";
      for (std::uint64_t i = 0; i < count; ++i) {
        to.largest = std::max(to.largest, sources[i]);
        line += " " + std::to_string(sources[i]);
      }
      to.lines.push_back(line);
    };
    sink.message = [](void*, std::uint32_t, vissl_str) {};
    sink.ignore = [](void* self, std::uint64_t entry, vissl_str) {
      auto& to = *static_cast<Plan*>(self);
      to.largest = std::max(to.largest, entry);
      to.lines.push_back(std::to_string(entry));
    };
    sink.skip_target = [](void* self, vissl_str target, vissl_str) {
      static_cast<Plan*>(self)->lines.emplace_back(target.data,
                                                   static_cast<std::size_t>(target.size));
    };
    ErrorSink text;
    status_of("plan", text, [&](vissl_err* err) {
      return profile.as<vissl_weights_profile_class>().plan(profile.self(), entries.data(),
                                                            entries.size(), entries.data(),
                                                            entries.size(), &sink, err);
    });
    return made;
  };
  const Plan first = plan();
  if (first.largest >= entries.size())
    return {kFail, "its plan names entry " + std::to_string(first.largest) + " of a file with " +
                       std::to_string(entries.size())};
  if (plan().lines != first.lines) return {kFail, "the same file has another plan the second time"};
  return {};
}

Verdict check_hostile_state(Subject& subject) {
  const vissl_component& component = subject.component();
  const std::string_view id = VISSL_STATE_ID;
  const auto* state = static_cast<const vissl_state_class*>(
      component.size < sizeof(vissl_component) || component.get_extension == nullptr
          ? nullptr
          : component.get_extension({id.data(), id.size()}));
  if (state == nullptr) return {Outcome::ok, "has no state"};
  const Made used = subject.create(subject.config());
  return judge_state(*state, used.self(), [&](auto&& body) {
    const Made fresh = subject.create(subject.config());
    return body(fresh.self());
  });
}

}  // namespace vissl::host
