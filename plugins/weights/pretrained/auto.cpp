// profile = "auto": the wrapper, prefix and names that fit best, found by trying all.
#include <algorithm>

#include "filters.hpp"
#include "fit.hpp"

using namespace vissl;

namespace pretrained {

namespace {

constexpr std::size_t kShown = 3;
constexpr std::int64_t kFarBehind = 20;  // not worth telling

std::string percent(std::int64_t part, std::int64_t whole) {
  const std::int64_t tenths = whole == 0 ? 1000 : 1000 * part / whole;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " %";
}

// Without those that are a part of a better one: "layer4.…" inside "…".
std::vector<Placement> distinct(const std::vector<Placement>& all) {
  std::vector<Placement> kept;
  for (const Placement& place : all) {
    const bool inside = std::any_of(kept.begin(), kept.end(), [&](const Placement& better) {
      return better.map == place.map && starts_with(place.from, better.from) &&
             starts_with(place.to, better.to) &&
             place.from.substr(better.from.size()) == place.to.substr(better.to.size());
    });
    if (!inside) kept.push_back(place);
  }
  return kept;
}

std::string described(const Placement& place, std::int64_t trunk_elements) {
  return "'" + place.from + "…' as '" + place.to + "…' (" + place.map->name() +
         "): " + percent(place.elements, trunk_elements) + " of the trunk in " +
         std::to_string(place.tensors) + " tensors";
}

}  // namespace

void plan_auto(const Settings& settings, const WeightsPlan& plan, Recipes& recipes) {
  // Prefixes of the full names cover every wrapper.
  const Targets targets(plan);
  const Names names =
      filtered(must_be_below(plan, settings.key.value_or("")), settings.filters, targets);
  const std::vector<Placement> found = distinct(placements(names, targets, all_key_maps()));
  if (found.empty()) {
    fail(VISSL_E_CONFIG,
         "no prefix and no system's names make any tensor of the file fit the model; "
         "the first is '" +
             names.front().name + "' " + torch_size(names.front().shape()) +
             "; `vissl-host inspect` lists them all");
  }
  for (std::size_t i = 0; i < std::min(kShown, found.size()); ++i) {
    if (kFarBehind * found[i].elements < found.front().elements) break;
    plan.message(VISSL_LOG_INFO, (i == 0 ? "weights: chosen " : "weights: next best ") +
                                     described(found[i], targets.trunk_elements()));
  }
  const Fit fit = with_heads(found.front(), names, targets, settings.classifier);
  const Fitted fitted = carry_out(fit, names, settings, targets, plan, recipes);
  if (settings.strict && !fitted.missing.empty())
    fail(VISSL_E_CONFIG,
         std::to_string(fitted.missing.size()) +
             " tensors of the model are not in the file: " + joined(fitted.missing).substr(0, 400));
}

}  // namespace pretrained
