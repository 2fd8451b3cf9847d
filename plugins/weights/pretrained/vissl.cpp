// VISSL's rules. state_dict_key_name = "classy_state_dict" (default) reads
// classy_state_dict.base_model.model; any other name, or list of names, is the place of a state
// dict in the file, "" the file itself, and then remove_prefix is cut off where a name begins with
// it, and append_prefix put before every name. A model whose trunk is wrapped for feature
// evaluation calls it "trunk.base_model.…": both spellings fit both models, and the infix is never
// doubled.
#include <algorithm>

#include "adapt.hpp"
#include "filters.hpp"
#include "profile.hpp"

using namespace vissl;

namespace pretrained {

namespace {

constexpr std::string_view kVissl = "classy_state_dict.";
constexpr std::string_view kWrapped = "trunk.base_model.";

std::string wrap(std::string name, bool wrapped) {
  while (starts_with(name, kWrapped)) name.replace(0, kWrapped.size(), "trunk.");
  if (wrapped && starts_with(name, "trunk.")) name.replace(0, 6, kWrapped);
  return name;
}

std::string as_settings(const Placement& best) {
  return "set remove_prefix = \"" + best.from + "\" and append_prefix = \"" + best.to +
         "\", with which " + std::to_string(best.tensors) + " tensors fit";
}

// The prefixes that would fit, as lines for the config.
std::string advice(const Names& names, const Targets& targets) {
  const std::vector<Placement> places = placements(names, targets, {{&same_names()}});
  if (!places.empty()) return as_settings(places.front());
  const std::string shapes = shapes_alone(names, targets);
  if (!shapes.empty()) return shapes;
  return "set remove_prefix and append_prefix, e.g. append_prefix = \"trunk._feature_blocks.\" "
         "for torchvision's ResNets, or profile = \"auto\"";
}

struct StateDict {
  Names as_stored;
  Names names;          // the model's, as far as it has them
  bool takes_prefixes;  // it is not VISSL's own
};

StateDict state_dict(const Settings& settings, const WeightsPlan& plan, const Targets& targets) {
  bool wrapped = false;
  for (const WeightsEntry& t : plan.targets()) wrapped = wrapped || starts_with(t.name, kWrapped);
  const std::string key = settings.key.value_or(std::string(kVissl));
  const bool vissl = key == kVissl;
  if (vissl && !(settings.remove.empty() && settings.append.empty()))
    plan.message(VISSL_LOG_WARNING,
                 "weights: remove_prefix and append_prefix do nothing below classy_state_dict, "
                 "whose names are the model's; set another state_dict_key_name, or leave them out");
  if (vissl) must_be_below(plan, key);
  Names names = must_be_below(plan, vissl ? key + "base_model.model." : key);
  const Names as_stored = names;
  bool any = false, all = true;
  for (Named& named : names) {
    if (!vissl) {
      if (!settings.remove.empty() && starts_with(named.name, settings.remove))
        named.name.erase(0, settings.remove.size());
      named.name.insert(0, settings.append);
    }
    const bool ours = starts_with(named.name, "trunk.") || starts_with(named.name, "heads.");
    any = any || ours;
    all = all && ours;
    named.name = wrap(std::move(named.name), wrapped);
  }
  if (!any || (!all && settings.system == System::vissl_0_1_6))
    fail(VISSL_E_CONFIG,
         "no tensor of the file is called \"trunk.…\" or \"heads.…\": the first is '" +
             names.front().name + "'; " + advice(as_stored, targets));
  return {as_stored, names, !vissl};
}

// After prefixes that fit nothing, or less than others would: an error, or a warning that explains
// what the host says next of the trunk's coverage. `fitting`: elements of the trunk.
void judge_prefixes(const StateDict& file, const Targets& targets, std::int64_t fitting,
                    bool loads_none, const WeightsPlan& plan) {
  if (loads_none) {
    std::string remedy;
    if (file.takes_prefixes)
      remedy = advice(file.as_stored, targets);
    else if (placements(file.as_stored, targets, {{&same_names()}}).empty())
      remedy = shapes_alone(file.as_stored, targets);
    if (remedy.empty()) remedy = "set profile = \"auto\"";
    fail(VISSL_E_CONFIG, "no tensor of the file fits the model: the first is '" +
                             file.names.front().name + "', the model's '" +
                             targets.all().front().name + "'; " + remedy);
  }
  if (!file.takes_prefixes || 2 * fitting >= targets.trunk_elements()) return;
  const std::vector<Placement> places = placements(file.as_stored, targets, {{&same_names()}});
  if (!places.empty() && places.front().elements > fitting)
    plan.message(VISSL_LOG_WARNING,
                 "weights: the prefixes fit little of the trunk; " + as_settings(places.front()));
}

[[noreturn]] void refuse_positions(const Named& named, const WeightsEntry& target) {
  const bool same_width = !named.shape().empty() && !target.shape.empty() &&
                          named.shape().back() == target.shape.back();
  fail(VISSL_E_CONFIG,
       "Unable to interpolate position embeddings: '" + target.name + "' is " +
           torch_size(named.shape()) + " in the file and " + torch_size(target.shape) +
           " in the model: " +
           (same_width ? "both must be (1, positions, width), the positions square grids "
                         "besides their tokens"
                       : "their last sizes, the width, must be the same") +
           "; change the model, list the layer in skip_layers, or set shape_mismatch = \"drop\"");
}

// A list of names as Python prints it, for VISSL's lines.
std::string list_text(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "'" : ", '") + name + "'";
  return "[" + text + "]";
}

// VISSL's line per tensor of the model.
class Lines {
 public:
  Lines(const WeightsPlan& plan, const Targets& targets) : plan_(plan) {
    for (const WeightsEntry& target : targets.all()) width_ = std::max(width_, target.name.size());
  }
  void ignored(const WeightsEntry& target) const { say("Ignored layer:\t" + target.name); }
  void not_found(const WeightsEntry& target) const {
    say("Not found:\t\t" + target.name + ", not initialized");
  }
  void unchecked(const WeightsEntry& target, const std::vector<std::int64_t>& in_file) const {
    say("Ignore shape check: " + target.name + " checkpoint: " + torch_size(in_file) +
        ", model: " + torch_size(target.shape));
  }
  void loaded(const WeightsEntry& target) const {
    say("Loaded: " + target.name + std::string(width_ - target.name.size(), ' ') +
        " of shape: " + torch_size(target.shape) + " from checkpoint");
  }
  void extra(const std::vector<std::string>& names) const {
    say("Extra layers not loaded from checkpoint: " + list_text(names));
  }

 private:
  void say(const std::string& line) const { plan_.message(VISSL_LOG_DEBUG, line); }

  const WeightsPlan& plan_;
  std::size_t width_ = 0;  // of the longest name
};

}  // namespace

void plan_vissl(const Settings& settings, const WeightsPlan& plan, Recipes& recipes) {
  const Targets targets(plan);
  StateDict file = state_dict(settings, plan, targets);
  file.names = filtered(std::move(file.names), settings.filters, targets);
  const Names& names = file.names;
  std::unordered_map<std::string, const Named*> by_name;
  for (const Named& named : names) {
    const WeightsEntry* target = targets.find(named.name);
    if (!by_name.emplace(named.name, &named).second && target != nullptr)
      load(named, *target, plan, recipes);  // the host tells of the collision
  }
  Names loaded;
  std::vector<std::string> missing;
  std::vector<Mismatch> mismatches;
  std::int64_t fitting = 0;
  const Lines lines(plan, targets);
  for (const WeightsEntry& target : targets.all()) {
    const bool head = target.name.find("heads") != std::string::npos;
    const std::string layer = skipped_by(settings.skip, target.name);
    const auto found = by_name.find(target.name);
    if (!head && found != by_name.end() && fits(found->second->shape(), target.shape))
      fitting += numel(target);
    if (!layer.empty() || (head && !settings.heads)) {
      plan.skip_target(target.name, layer.empty()
                                        ? "heads are not loaded when features are evaluated"
                                        : "skip_layers has '" + layer + "'");
      if (found != by_name.end()) ignore(*found->second, "its target is left out", plan);
      if (layer.empty() && found == by_name.end())
        lines.not_found(target);
      else
        lines.ignored(target);
      continue;
    }
    if (found == by_name.end()) {
      missing.push_back(target.name);
      lines.not_found(target);
      continue;
    }
    Named named = *found->second;
    const bool any_head_shape = head && !settings.same_head_shapes && !settings.refuse_shapes;
    if (any_head_shape) lines.unchecked(target, named.shape());
    if (!fits(named.shape(), target.shape)) {
      const bool positions = target.name.find("pos_embed") != std::string::npos;
      const FormulaPtr grid = positions ? other_grid(named.tensor, target.shape, false) : nullptr;
      if (grid == nullptr && (any_head_shape || settings.drop_shapes)) {
        ignore(named, other_shape(named, target), plan);
        mismatches.push_back({named.name, named.tensor, &target, true});
        missing.push_back(target.name);
        if (!any_head_shape) lines.unchecked(target, named.shape());
        continue;
      }
      if (positions && grid == nullptr) refuse_positions(named, target);
      if (grid != nullptr) named.tensor = grid;
    } else if (named.is_made() && named.shape() != target.shape) {
      named.tensor = reshaped(named.tensor, target.shape, "reshaped");
    }
    if (settings.drop_dtypes && dtype_of(*named.tensor) != target.dtype) {
      ignore(named, "another element type than the model's", plan);
      missing.push_back(target.name);
      lines.not_found(target);
      continue;
    }
    load(named, target, plan, recipes);
    loaded.push_back(named);
    lines.loaded(target);
  }
  judge_prefixes(file, targets, fitting, loaded.empty() && !missing.empty(), plan);
  tell_filters(loaded, plan);
  tell_dropped(mismatches, plan);
  const std::vector<std::string> extra =
      unused(names, [&](const Named& named) { return targets.find(named.name) != nullptr; });
  lines.extra(extra);
  missing = without_counters(std::move(missing));
  if (settings.strict && !missing.empty()) {
    fail(VISSL_E_CONFIG, std::to_string(missing.size()) +
                             " tensors of the model are not in the file, the first is '" +
                             missing.front() +
                             "'; check the prefixes, list them in skip_layers, or set strict = "
                             "false");
  }
}

}  // namespace pretrained
