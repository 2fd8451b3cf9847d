#pragma once
// The plans of the systems.
#include <vissl/weights.hpp>

#include <vector>

#include "adapt.hpp"
#include "names.hpp"
#include "settings.hpp"

namespace pretrained {

using Recipes = std::vector<Recipe>;  // by the number that the plan gives the host

// VISSL: a place in the file, prefixes by hand, one line per tensor (reference, checkpoints 1.1).
void plan_vissl(const Settings& settings, const vissl::WeightsPlan& plan, Recipes& recipes);
// EssentialMC2, timm, mmcv, vis4d, Detectron2: their wrappers, their rules, their lines; where the
// trunk's names begin is found (1.2 to 1.7).
void plan_system(const Settings& settings, const vissl::WeightsPlan& plan, Recipes& recipes);
// Whatever wrapper, prefix and names fit best; the best three are told.
void plan_auto(const Settings& settings, const vissl::WeightsPlan& plan, Recipes& recipes);

}  // namespace pretrained
