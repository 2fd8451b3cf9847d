// Pairs of names that follow no map: Detectron2's endings, timm's positions.
#include <vissl/run.h>

#include <algorithm>

#include "fit.hpp"

using namespace vissl;

namespace pretrained {

namespace {

// What `map` makes of a name; names that it does not know stay.
std::string mapped(const KeyMap& map, const std::string& name) {
  const std::string ours = map.rename(name);
  return ours.empty() ? name : ours;
}

struct Endings {
  std::unordered_map<std::string, std::string> pairs;  // file's names, model's
  std::unordered_map<std::string, const Named*> by_name;
  std::int64_t elements = 0;
  std::vector<std::string> warnings;
  std::string ambiguous;  // the first name that two tensors of the model take
};

Endings matched(const Names& names, const Targets& targets, const KeyMap& map) {
  Endings found;
  for (const Named& named : names) found.by_name.emplace(mapped(map, named.name), &named);
  for (const WeightsEntry& target : targets.all()) {
    // From the whole name to its last part: the first that there is, is the longest.
    for (std::size_t at = 0; at != std::string::npos;) {
      const auto it = found.by_name.find(target.name.substr(at));
      const std::size_t dot = target.name.find('.', at);
      at = dot == std::string::npos ? dot : dot + 1;
      if (it == found.by_name.end()) continue;
      const Named& named = *it->second;
      if (!fits(named.shape(), target.shape)) {
        found.warnings.push_back("Shape of " + named.name + " in checkpoint is " +
                                 torch_size(named.shape()) + ", while shape of " + target.name +
                                 " in model is " + torch_size(target.shape) + ".\n" + named.name +
                                 " will not be loaded. Please double check and see if this is "
                                 "desired.");
        break;
      }
      const auto [pair, is_new] = found.pairs.emplace(named.name, target.name);
      if (!is_new && found.ambiguous.empty())
        found.ambiguous = "Ambiguity found for " + named.name +
                          " in checkpoint! It matches at least two keys in the model (" +
                          target.name + " and " + pair->second +
                          "). Cannot match one checkpoint key to multiple keys in the model; set "
                          "matching_heuristics = false";
      if (is_new) found.elements += numel(target);
      break;
    }
  }
  return found;
}

}  // namespace

Fit by_endings(const Names& names, const Targets& targets, const WeightsPlan& plan) {
  const KeyMap* map = &same_names();
  Endings best = matched(names, targets, *map);
  for (const KeyMap* other : all_key_maps()) {
    if (other->is_same()) continue;
    Endings found = matched(names, targets, *other);
    if (found.elements <= best.elements) continue;
    best = std::move(found);
    map = other;
  }
  if (!best.ambiguous.empty()) fail(VISSL_E_CONFIG, best.ambiguous);
  for (const std::string& line : best.warnings) plan.message(VISSL_LOG_WARNING, line);
  if (best.pairs.empty())
    plan.message(VISSL_LOG_WARNING, "No weights in checkpoint matched with model.");
  else
    plan.message(VISSL_LOG_INFO, "weights: matched by their endings (" + std::string(map->name()) +
                                     "): " + std::to_string(best.pairs.size()) + " tensors");
  Fit fit;
  fit.pairs = std::move(best.pairs);
  return fit;
}

Fit by_position(const Names& names, const Targets& targets) {
  Fit fit;
  fit.reshapes = true;
  const std::vector<WeightsEntry>& all = targets.all();
  for (std::size_t i = 0; i < std::min(names.size(), all.size()); ++i) {
    if (numel(names[i].shape()) != numel(all[i]))
      fail(VISSL_E_CONFIG, "Tensor size mismatch " + all[i].name + ": " + torch_size(all[i].shape) +
                               " vs " + names[i].name + ": " + torch_size(names[i].shape()) +
                               ". Remap failed.");
    fit.pairs.emplace(names[i].name, all[i].name);
  }
  return fit;
}

}  // namespace pretrained
