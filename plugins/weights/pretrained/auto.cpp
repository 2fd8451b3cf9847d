// profile = "auto": the wrapper, prefix and names that fit best, found by trying all.
#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>

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

constexpr std::string_view kWrappers[] = {"_fsdp_wrapped_module", "_fpw_module",
                                          "_checkpoint_wrapped_module", "_orig_mod", "module"};

const std::vector<std::string> kOpenedForRules = {"classy_state_dict.base_model.model",
                                                  "state_dict", "model", "model_state", "blobs"};

// "layer1._orig_mod.0.weight" as "layer1.0.weight": wrappers of a part of the network put their
// name in the middle, where no prefix cuts it off. Those that were there are noted in `found`.
std::string unwrapped(std::string_view name, std::set<std::string_view>& found) {
  std::string out;
  for (std::size_t at = 0; at < name.size();) {
    const std::string_view part = name.substr(at, name.find('.', at) - at);
    const auto* known = std::find(std::begin(kWrappers), std::end(kWrappers), part);
    if (known != std::end(kWrappers))
      found.insert(*known);
    else
      out.append(out.empty() ? "" : ".").append(part);
    at += part.size() + 1;
  }
  return out;
}

// The names, and where they fit.
struct Reading {
  Names names;
  std::vector<Placement> found;
};

Reading read(Names names, const Settings& settings, const Targets& targets) {
  Reading reading = {filtered(std::move(names), settings.filters, targets), {}};
  Search search = {all_key_maps()};
  if (!settings.append.empty()) search.places = {settings.append};
  search.averages = settings.use_ema;
  reading.found = distinct(placements(reading.names, targets, search));
  return reading;
}

// Only what stands below the sub level, wherever in a name it begins; the outermost where it is in
// several depths. The names stay whole: where the trunk begins is found anyway.
Names at_sub_level(Names names, const std::string& sub_level, const Targets& targets) {
  const auto depth_of = [&](const std::string& name) -> std::ptrdiff_t {
    std::size_t at = name.find(sub_level);
    while (at != std::string::npos && at > 0 && name[at - 1] != '.')
      at = name.find(sub_level, at + 1);
    if (at == std::string::npos) return -1;
    return std::count(name.begin(), name.begin() + static_cast<std::ptrdiff_t>(at), '.');
  };
  std::ptrdiff_t outermost = -1;
  for (const Named& named : names) {
    const std::ptrdiff_t depth = depth_of(named.name);
    if (depth >= 0 && (outermost < 0 || depth < outermost)) outermost = depth;
  }
  if (outermost < 0)
    fail(VISSL_E_CONFIG, sub_level.substr(0, sub_level.size() - 1) +
                             " is not in the pretrained model: no name has '" + sub_level +
                             "' at its beginning or after a dot; the first is '" +
                             names.front().name + "'" + where_it_fits(names, targets));
  names.erase(std::remove_if(names.begin(), names.end(),
                             [&](const Named& named) { return depth_of(named.name) != outermost; }),
              names.end());
  return names;
}

// What the user's settings make of the file's names, in the order of the systems. Rules are meant
// for the names of a network, so that they are taken from inside the usual wrapper.
Names wanted_names(const Settings& settings, const WeightsPlan& plan, const Targets& targets) {
  const bool renames = !settings.remove.empty() || settings.has_rules;
  Names names =
      must_be_below(plan, settings.key.value_or(renames ? wrapper_of(plan, kOpenedForRules) : ""));
  rename(settings, settings.rules, names);
  return settings.sub_level.empty() ? names
                                    : at_sub_level(std::move(names), settings.sub_level, targets);
}

// As the file has them, or without the wrappers' parts when then more fits.
Reading best_reading(const Settings& settings, const WeightsPlan& plan, const Targets& targets) {
  // Prefixes of the full names cover every wrapper of the whole.
  Names names = wanted_names(settings, plan, targets);
  Reading stored = read(names, settings, targets);
  std::set<std::string_view> wrappers;
  for (Named& named : names) named.name = unwrapped(named.name, wrappers);
  if (wrappers.empty()) return stored;
  Reading bare = read(std::move(names), settings, targets);
  const auto elements = [](const Reading& r) { return r.found.empty() ? 0 : r.found[0].elements; };
  if (elements(bare) <= elements(stored)) return stored;
  std::string list;
  for (const std::string_view part : wrappers)
    list.append(list.empty() ? "'" : ", '").append(part).append(".'");
  plan.message(VISSL_LOG_INFO, "weights: the file's names are read without " + list);
  return bare;
}

std::string described(const Placement& place, std::int64_t trunk_elements) {
  return "'" + place.from + "…' as '" + place.to + "…' (" + place.map->name() +
         "): " + percent(place.elements, trunk_elements) + " of the trunk in " +
         std::to_string(place.tensors) + " tensors";
}

[[noreturn]] void refuse_all(const Settings& settings, const Names& names, const Targets& targets) {
  if (!settings.append.empty()) {
    const std::vector<Placement> other = placements(names, targets, {all_key_maps()});
    if (!other.empty())
      fail(VISSL_E_CONFIG, "append_prefix = \"" + settings.append +
                               "\" makes no tensor of the file fit the model; without it " +
                               described(other.front(), targets.trunk_elements()));
  }
  const std::string none =
      "no prefix and no system's names make any tensor of the file fit the model";
  const std::string shapes = shapes_alone(names, targets);
  if (!shapes.empty()) fail(VISSL_E_CONFIG, none + ": " + shapes);
  fail(VISSL_E_CONFIG, none + "; the first is '" + names.front().name + "' " +
                           torch_size(names.front().shape()) +
                           "; `vissl-host inspect` lists them all");
}

}  // namespace

void plan_auto(const Settings& settings, const WeightsPlan& plan, Recipes& recipes) {
  const Targets targets(plan);
  const Reading reading = best_reading(settings, plan, targets);
  const Names& names = reading.names;
  std::vector<Placement> found = reading.found;
  const bool head_alone = targets.places().empty() && settings.append.empty();
  if (head_alone) found = {without_trunk(names)};
  if (found.empty()) refuse_all(settings, names, targets);
  for (std::size_t i = 0; !head_alone && i < std::min(kShown, found.size()); ++i) {
    if (kFarBehind * found[i].elements < found.front().elements) break;
    plan.message(VISSL_LOG_INFO, (i == 0 ? "weights: chosen " : "weights: next best ") +
                                     described(found[i], targets.trunk_elements()));
  }
  if (settings.use_ema && !head_alone && Twins().is_lesser(found.front().from) != *settings.use_ema)
    plan.message(VISSL_LOG_WARNING,
                 *settings.use_ema
                     ? "weights: use_ema = true, but nothing in the file is named as an average; "
                       "sub_level opens the one that is meant"
                     : "weights: use_ema = false, but nothing but averages fits the model");
  const Fit fit = with_heads(found.front(), names, targets, settings.classifier);
  const Fitted fitted = carry_out(fit, names, settings, targets, plan, recipes);
  tell_dropped(fitted.mismatches, plan);
  if (settings.strict) judge_strict(fitted);
}

}  // namespace pretrained
