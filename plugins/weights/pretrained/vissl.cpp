// VISSL's rules. state_dict_key_name = "classy_state_dict" (default) reads
// classy_state_dict.base_model.model; any other name, or list of names, is the place of a state
// dict in the file, "" the file itself, and then remove_prefix is cut off where a name begins with
// it, and append_prefix put before every name. A model whose trunk is wrapped for feature
// evaluation calls it "trunk.base_model.…": both spellings fit both models, and the infix is never
// doubled.
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

// The prefixes that would fit, as lines for the config.
std::string advice(const Names& names, const Targets& targets) {
  const std::vector<Placement> places = placements(names, targets, {&same_names()});
  if (places.empty())
    return "set remove_prefix and append_prefix, e.g. append_prefix = \"trunk._feature_blocks.\" "
           "for torchvision's ResNets, or profile = \"auto\"";
  const Placement& best = places.front();
  return "set remove_prefix = \"" + best.from + "\" and append_prefix = \"" + best.to +
         "\", with which " + std::to_string(best.tensors) + " tensors fit";
}

// The model's name for each tensor of the state dict, as far as it has one.
Names model_names(const Settings& settings, const WeightsPlan& plan, const Targets& targets) {
  bool wrapped = false;
  for (const WeightsEntry& t : plan.targets()) wrapped = wrapped || starts_with(t.name, kWrapped);
  const std::string key = settings.key.value_or(std::string(kVissl));
  const bool vissl = key == kVissl;
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
  return names;
}

}  // namespace

void plan_vissl(const Settings& settings, const WeightsPlan& plan, Recipes& recipes) {
  const Targets targets(plan);
  const Names names = filtered(model_names(settings, plan, targets), settings.filters, targets);
  std::unordered_map<std::string, const Named*> by_name;
  for (const Named& named : names) {
    const WeightsEntry* target = targets.find(named.name);
    if (!by_name.emplace(named.name, &named).second && target != nullptr)
      load(named, *target, plan, recipes);  // the host tells of the collision
  }
  Names loaded;
  std::vector<std::string> missing;
  for (const WeightsEntry& target : targets.all()) {
    const bool head = target.name.find("heads") != std::string::npos;
    const std::string layer = skipped_by(settings.skip, target.name);
    const auto found = by_name.find(target.name);
    if (!layer.empty() || (head && !settings.heads)) {
      plan.skip_target(target.name, layer.empty()
                                        ? "heads are not loaded when features are evaluated"
                                        : "skip_layers has '" + layer + "'");
      if (found != by_name.end()) ignore(*found->second, "its target is left out", plan);
      plan.message(VISSL_LOG_DEBUG, "Ignored layer:\t" + target.name);
      continue;
    }
    if (found == by_name.end()) {
      missing.push_back(target.name);
      plan.message(VISSL_LOG_DEBUG, "Not found:\t\t" + target.name + ", not initialized");
      continue;
    }
    Named named = *found->second;
    if (named.shape() != target.shape) {
      const bool positions = target.name.find("pos_embed") != std::string::npos;
      const FormulaPtr grid = positions ? other_grid(named.tensor, target.shape, false) : nullptr;
      if (positions && grid == nullptr)
        fail(VISSL_E_CONFIG, "Unable to interpolate position embeddings: '" + target.name +
                                 "' is not a square grid in the file and in the model");
      if (grid == nullptr && ((head && !settings.same_head_shapes) || settings.drop_shapes)) {
        plan.skip_target(target.name, "the file's tensor has another shape");
        plan.message(VISSL_LOG_DEBUG, "Ignore shape check: " + target.name);
        continue;
      }
      if (grid != nullptr) named.tensor = grid;
    }
    load(named, target, plan, recipes);
    loaded.push_back(named);
    plan.message(VISSL_LOG_DEBUG, "Loaded: " + target.name + " from checkpoint");
  }
  tell_filters(loaded, plan);
  const std::vector<std::string> extra =
      unused(names, [&](const Named& named) { return targets.find(named.name) != nullptr; });
  if (!extra.empty())
    plan.message(VISSL_LOG_DEBUG,
                 "Extra layers not loaded from checkpoint: [" + joined(extra) + "]");
  if (settings.strict && !missing.empty()) {
    fail(VISSL_E_CONFIG, std::to_string(missing.size()) +
                             " tensors of the model are not in the file, the first is '" +
                             missing.front() +
                             "'; check the prefixes, list them in skip_layers, or set strict = "
                             "false");
  }
}

}  // namespace pretrained
