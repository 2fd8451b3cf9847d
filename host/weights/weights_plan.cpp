#include "host/weights/weights_plan.hpp"

#include <vissl/run.h>

#include <algorithm>
#include <functional>
#include <set>
#include <unordered_map>

#include "host/abi_text.hpp"
#include "host/boundary.hpp"
#include "host/files/counted.hpp"
#include "host/files/locator_text.hpp"
#include "host/files/printable.hpp"
#include "host/files/shape_text.hpp"
#include "host/files/tensor_list.hpp"
#include "host/weights/weights_report.hpp"

namespace vissl::host {

namespace {

constexpr std::size_t kMaxShown = 5;
constexpr std::size_t kMaxDimensions = 8;

std::int64_t product(const std::vector<std::int64_t>& shape) {
  std::int64_t elements = 1;
  for (const std::int64_t size : shape) elements *= size;
  return elements;
}

// What the profile calls while it plans. Nothing may be thrown through it: what is wrong is noted,
// and told afterwards.
class Collector {
 public:
  explicit Collector(WeightsPlan& plan) : plan_(plan) {
    for (std::size_t i = 0; i < plan.targets.size(); ++i) targets_[plan.targets[i].name] = i;
    sink_.size = sizeof sink_;
    sink_.self = this;
    sink_.load = [](void* self, std::uint64_t entry, vissl_str target) {
      static_cast<Collector*>(self)->settle(target, WeightsFate::loaded, {entry}, 0, "");
    };
    sink_.ignore = [](void* self, std::uint64_t entry, vissl_str reason) {
      static_cast<Collector*>(self)->ignore(entry, text_of(reason));
    };
    sink_.skip_target = [](void* self, vissl_str target, vissl_str reason) {
      static_cast<Collector*>(self)->settle(target, WeightsFate::skipped, {}, 0, text_of(reason));
    };
    sink_.compute = [](void* self, const std::uint64_t* entries, std::uint64_t count,
                       vissl_str target, std::uint64_t recipe, vissl_str what) {
      static_cast<Collector*>(self)->settle(target, WeightsFate::adapted,
                                            {entries, entries + count}, recipe, text_of(what));
    };
    sink_.message = [](void* self, std::uint32_t level, vissl_str line) {
      static_cast<Collector*>(self)->plan_.messages.push_back(
          {level, without_secrets(text_of(line))});
    };
  }
  const vissl_weights_sink* sink() const { return &sink_; }

  void check() const {
    if (!wrong_.empty()) throw Error(Exit::usage, plan_.file + ": " + wrong_);
  }

 private:
  void settle(vissl_str target, WeightsFate fate, std::vector<std::uint64_t> sources,
              std::uint64_t recipe, std::string what) {
    const std::string name = text_of(target);
    const auto it = targets_.find(name);
    if (it == targets_.end())
      return note("the profile names '" + name + "', which the model does not have");
    for (const std::uint64_t source : sources)
      if (source >= plan_.sources.size())
        return note("the profile names entry " + std::to_string(source) + " of " +
                    std::to_string(plan_.sources.size()));
    WeightsRow& row = plan_.rows[it->second];
    if (row.fate != WeightsFate::missing && fate != WeightsFate::skipped && !row.sources.empty()) {
      return note("two tensors of the file, '" + plan_.sources[row.sources.front()].name +
                  "' and '" + plan_.sources[sources.front()].name + "', map to '" + name +
                  "'; choose one with state_dict_key_name or prefixes");
    }
    for (const std::uint64_t source : sources) plan_.used[source] = true;
    row = {fate, std::move(sources), recipe, std::move(what)};
  }
  void ignore(std::uint64_t entry, std::string reason) {
    if (entry < plan_.ignored.size()) plan_.ignored[entry] = std::move(reason);
  }
  void note(std::string text) {
    if (wrong_.empty()) wrong_ = std::move(text);
  }

  WeightsPlan& plan_;
  std::unordered_map<std::string, std::size_t> targets_;
  vissl_weights_sink sink_{};
  std::string wrong_;
};

// A tensor of one element fits a scalar, as in torch's load_state_dict.
bool fits(const std::vector<std::int64_t>& from, const std::vector<std::int64_t>& to) {
  return from == to || (to.empty() && from == std::vector<std::int64_t>{1});
}

void check_shapes(const WeightsPlan& plan) {
  std::string wrong;
  std::size_t count = 0;
  for (std::size_t i = 0; i < plan.rows.size(); ++i) {
    const WeightsRow& row = plan.rows[i];
    if (row.fate != WeightsFate::loaded) continue;
    const WeightsSource& source = plan.sources[row.sources.front()];
    const WeightsTarget& target = plan.targets[i];
    if (fits(source.tensor->shape, target.shape)) continue;
    if (++count <= kMaxShown)
      wrong += (count == 1 ? "" : "; ") + ("'" + source.name + "' has shape ") +
               shape_text(source.tensor->shape) + " but '" + target.name + "' of the model has " +
               shape_text(target.shape);
  }
  if (count == 0) return;
  if (count > kMaxShown) wrong += "; and " + std::to_string(count - kMaxShown) + " more";
  throw Error(Exit::usage,
              plan.file + ": " + wrong + "; change the model, or list the layer in skip_layers");
}

bool is_counter(const std::string& name) {
  return name.ends_with("num_batches_tracked");
}

bool counts(const WeightsTarget& target) {
  return target.name.starts_with("trunk.") && !is_counter(target.name);
}

bool is_complex(DType dtype) {
  return dtype == DType::complex32 || dtype == DType::complex64 || dtype == DType::complex128;
}

// Elements that lie several in a byte, and integers whose scale stands elsewhere.
bool is_packed(DType dtype) {
  constexpr DType kPacked[] = {DType::qint8,    DType::quint8,   DType::qint32,
                               DType::quint4x2, DType::quint2x4, DType::float4_e2m1fn_x2};
  return std::ranges::find(kPacked, dtype) != std::end(kPacked);
}

void check_types(WeightsPlan& plan) {
  std::vector<std::string> real_only;
  for (std::size_t i = 0; i < plan.rows.size(); ++i) {
    for (const std::uint64_t index : plan.rows[i].sources) {
      const WeightsSource& source = plan.sources[index];
      const DType dtype = source.tensor->dtype;
      if (is_packed(dtype))
        throw Error(Exit::usage, plan.file + ": '" + source.name + "' has the element type " +
                                     std::string(facts(dtype).name) + ", which '" +
                                     plan.targets[i].name +
                                     "' of the model cannot take; save it as float32, or list the "
                                     "layer in skip_layers");
      if (is_complex(dtype) && !is_complex(plan.targets[i].dtype)) real_only.push_back(source.name);
    }
  }
  if (real_only.empty()) return;
  plan.messages.push_back(
      {VISSL_LOG_WARNING,
       plan.file + ": " + counted(real_only.size(), "tensor") +
           " of complex numbers for real ones: their imaginary parts are lost: " +
           first_names(real_only, kMaxShown)});
}

// Whether a tensor that is `next` by a later plan is no longer what it was by earlier ones.
bool overrules(WeightsFate next, WeightsFate before) {
  const auto found = [](WeightsFate fate) {
    return fate == WeightsFate::loaded || fate == WeightsFate::adapted;
  };
  return found(next) || (!found(before) && next == WeightsFate::missing);
}

}  // namespace

std::vector<WeightsSource> tensors_of(const Node& tree) {
  std::vector<WeightsSource> out;
  for_each_tensor(tree, [&](const std::string& name, const TensorRef& tensor) {
    out.push_back({name, &tensor});
  });
  return out;
}

void add_aliases(std::vector<WeightsSource>& sources,
                 const std::vector<std::pair<std::string, std::string>>& metadata) {
  std::unordered_map<std::string, const TensorRef*> by_name;
  for (const WeightsSource& source : sources) by_name.emplace(source.name, source.tensor);
  for (const auto& [alias, name] : metadata) {
    const auto found = by_name.find(name);
    if (found != by_name.end() && by_name.emplace(alias, found->second).second)
      sources.push_back({alias, found->second});
  }
}

vissl_weights_entry entry_of(const std::string& name, DType dtype,
                             const std::vector<std::int64_t>& shape) {
  vissl_weights_entry entry{};
  entry.size = sizeof entry;
  entry.name = {name.data(), name.size()};
  entry.dtype = static_cast<vissl_dtype>(dtype);
  entry.ndim = static_cast<std::uint32_t>(std::min(shape.size(), kMaxDimensions));
  std::copy_n(shape.begin(), entry.ndim, entry.shape);
  return entry;
}

std::int64_t WeightsTarget::numel() const {
  return product(shape);
}

const char* name_of(WeightsFate fate) {
  constexpr const char* kNames[] = {"loaded", "adapted", "skipped", "missing"};
  return kNames[static_cast<int>(fate)];
}

double WeightsPlan::coverage() const {
  std::int64_t all = 0, found = 0;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (!counts(targets[i]) || rows[i].fate == WeightsFate::skipped) continue;
    all += targets[i].numel();
    if (rows[i].fate != WeightsFate::missing) found += targets[i].numel();
  }
  return all == 0 ? 1.0 : static_cast<double>(found) / static_cast<double>(all);
}

bool WeightsPlan::has_trunk() const {
  return std::any_of(targets.begin(), targets.end(), counts);
}

std::size_t WeightsPlan::count(WeightsFate fate) const {
  return static_cast<std::size_t>(
      std::count_if(rows.begin(), rows.end(), [&](const auto& row) { return row.fate == fate; }));
}

WeightsPlan plan_weights(std::string file, std::string format, std::vector<WeightsSource> sources,
                         std::vector<WeightsTarget> targets,
                         const vissl_weights_profile_class& profile, void* instance) {
  WeightsPlan plan;
  plan.file = std::move(file);
  plan.format = std::move(format);
  plan.sources = std::move(sources);
  for (WeightsSource& source : plan.sources) source.name = printable(source.name);
  plan.targets = std::move(targets);
  plan.rows.resize(plan.targets.size());
  plan.used.resize(plan.sources.size());
  plan.ignored.resize(plan.sources.size());
  if (plan.sources.empty()) {
    throw Error(Exit::bad_data, plan.file + " (" + plan.format +
                                    ") holds no tensors; `vissl-host inspect` lists what it holds");
  }
  std::vector<vissl_weights_entry> from, to;
  for (const WeightsSource& source : plan.sources)
    from.push_back(entry_of(source.name, source.tensor->dtype, source.tensor->shape));
  for (const WeightsTarget& target : plan.targets)
    to.push_back(entry_of(target.name, target.dtype, target.shape));
  Collector collector(plan);
  ErrorSink error;
  const vissl_status status = profile.plan(instance, from.data(), from.size(), to.data(), to.size(),
                                           collector.sink(), error.get());
  try {
    error.check(status, plan.file);
  } catch (const Error& refusal) {
    plan.refusal = refusal;
    return plan;
  }
  collector.check();
  check_shapes(plan);
  check_types(plan);
  return plan;
}

WeightsPlan joined(const std::vector<const WeightsPlan*>& plans, std::vector<WeightsTarget> model) {
  WeightsPlan whole;
  whole.targets = std::move(model);
  whole.rows.resize(whole.targets.size());
  std::unordered_map<std::string, WeightsRow*> by_name;
  for (std::size_t i = 0; i < whole.rows.size(); ++i)
    by_name.emplace(whole.targets[i].name, &whole.rows[i]);
  std::set<std::string> asked;
  for (const WeightsPlan* plan : plans) {
    whole.file += (whole.file.empty() ? "" : ", ") + plan->file;
    for (std::size_t i = 0; i < plan->rows.size(); ++i) {
      const std::string& name = plan->targets[i].name;
      WeightsFate& fate = by_name.at(name)->fate;
      if (asked.insert(name).second || overrules(plan->rows[i].fate, fate))
        fate = plan->rows[i].fate;
    }
  }
  // Files of before counters were written, and those of other systems, miss none, as in torch.
  for (std::size_t i = 0; i < whole.rows.size(); ++i)
    if (whole.rows[i].fate == WeightsFate::missing && is_counter(whole.targets[i].name))
      whole.rows[i].fate = WeightsFate::skipped;
  return whole;
}

void judge_match(const WeightsPlan& plan, const WeightsGate& gate) {
  if (plan.refusal) throw Error(*plan.refusal);
  if (plan.count(WeightsFate::loaded) + plan.count(WeightsFate::adapted) > 0) return;
  throw Error(Exit::usage, plan.file + ": nothing in it matches the model; the file has " +
                               plan.sources.front().name + " …, the model " +
                               plan.targets.front().name +
                               " …; set state_dict_key_name, remove_prefix or append_prefix of " +
                               gate.table + (gate.is_auto ? "" : ", or profile = \"auto\""));
}

void judge(const WeightsPlan& whole, std::size_t files, const WeightsGate& gate) {
  const std::string in_it = files > 1 ? " in them" : " in it";
  const std::size_t missing = whole.count(WeightsFate::missing);
  if (gate.strict && missing > 0) {
    throw Error(Exit::usage, whole.file + ": " + counted(missing, "tensor") + " of the model " +
                                 (missing == 1 ? "is" : "are") + " not" + in_it + ": " +
                                 missing_names(whole, kMaxShown));
  }
  if (whole.coverage() < gate.min_coverage) {
    throw Error(Exit::usage,
                whole.file + ": only " + percent(whole.coverage()) +
                    " of the trunk's elements are" + in_it + ", less than min_coverage = " +
                    percent(gate.min_coverage) + "; not there: " + missing_names(whole, kMaxShown) +
                    "; set prefixes " + (gate.is_auto ? "" : "or profile = \"auto\" ") +
                    "of [model.weights_init], or lower min_coverage if that is meant");
  }
}

}  // namespace vissl::host
