#pragma once
// The plans of the systems.
#include <vissl/weights.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "formula.hpp"
#include "names.hpp"
#include "settings.hpp"

namespace pretrained {

using Recipes = std::vector<FormulaPtr>;  // by the number that the plan gives the host

// remove_prefix is cut off, then `rules` change the names.
void rename(const Settings& settings, const std::vector<Rule>& rules, Names& names);
// Loads or computes one tensor of the model. Fails for a computed one of another shape.
void load(const Named& named, const vissl::WeightsEntry& target, const vissl::WeightsPlan& plan,
          Recipes& recipes);
// Reports the file's tensors that it is made of as left out.
void ignore(const Named& named, std::string_view reason, const vissl::WeightsPlan& plan);
// Why a tensor of another shape than its target's is left out.
std::string other_shape(const Named& named, const vissl::WeightsEntry& target);
// A tensor that does not fit, in the file's spelling.
struct Mismatch {
  std::string name;
  FormulaPtr from;
  const vissl::WeightsEntry* to;
  bool shape;  // otherwise the element type
};
// Warns of tensors of the trunk that are left out for their shapes, with both.
void tell_dropped(const std::vector<Mismatch>& mismatches, const vissl::WeightsPlan& plan);
// Says which filters made what is loaded.
void tell_filters(const Names& loaded, const vissl::WeightsPlan& plan);
// The file's names that have no target and that nothing with a target is made of.
std::vector<std::string> unused(const Names& names,
                                const std::function<bool(const Named&)>& has_target);

// VISSL: a place in the file, prefixes by hand, one line per tensor (reference, checkpoints 1.1).
void plan_vissl(const Settings& settings, const vissl::WeightsPlan& plan, Recipes& recipes);
// EssentialMC2, timm, mmcv, vis4d, Detectron2: their wrappers, their rules, their lines; where the
// trunk's names begin is found (1.2 to 1.7).
void plan_system(const Settings& settings, const vissl::WeightsPlan& plan, Recipes& recipes);
// Whatever wrapper, prefix and names fit best; the best three are told.
void plan_auto(const Settings& settings, const vissl::WeightsPlan& plan, Recipes& recipes);

}  // namespace pretrained
