#include "profile.hpp"

#include <vissl/run.h>

#include <algorithm>
#include <set>

#include "filters.hpp"
#include "fit.hpp"

using namespace vissl;

namespace pretrained {

namespace {
constexpr std::size_t kMostTold = 5;
}

void rename(const Settings& settings, const std::vector<Rule>& rules, Names& names) {
  for (Named& named : names) {
    if (!settings.remove.empty() && starts_with(named.name, settings.remove))
      named.name.erase(0, settings.remove.size());
    for (const Rule& rule : rules) named.name = rule.apply(named.name);
  }
}

void load(const Named& named, const WeightsEntry& target, const WeightsPlan& plan,
          Recipes& recipes) {
  if (!named.is_made()) return plan.load(*named.tensor->entry, target.name);
  if (named.shape() != target.shape)
    fail(VISSL_E_CONFIG, "'" + named.name + "' (" + described(*named.tensor) + ") has shape " +
                             torch_size(named.shape()) + " but '" + target.name +
                             "' of the model has " + torch_size(target.shape) +
                             "; change the model, or list the layer in skip_layers");
  const std::string what = described(*named.tensor);
  plan.compute(needed(*named.tensor), target.name, recipes.size(),
               what.empty() ? "reshaped" : what);
  recipes.push_back(named.tensor);
}

void ignore(const Named& named, std::string_view reason, const WeightsPlan& plan) {
  for (const WeightsEntry* entry : needed(*named.tensor)) plan.ignore(*entry, reason);
}

std::string other_shape(const Named& named, const WeightsEntry& target) {
  return "it is " + torch_size(named.shape()) + ", '" + target.name + "' of the model is " +
         torch_size(target.shape);
}

void tell_dropped(const std::vector<Mismatch>& mismatches, const WeightsPlan& plan) {
  std::vector<std::string> list;
  for (const Mismatch& m : mismatches)
    if (m.shape && starts_with(m.to->name, "trunk."))
      list.push_back("'" + m.name + "' " + torch_size(m.from->shape) + ", '" + m.to->name +
                     "' of the model is " + torch_size(m.to->shape));
  if (list.empty()) return;
  std::string text = "weights: left out for " + std::string(list.size() == 1 ? "its" : "their") +
                     " shape" + (list.size() == 1 ? "" : "s") + ": ";
  for (std::size_t i = 0; i < std::min(kMostTold, list.size()); ++i)
    text += (i == 0 ? "" : "; ") + list[i];
  if (list.size() > kMostTold) text += "; and " + std::to_string(list.size() - kMostTold) + " more";
  plan.message(VISSL_LOG_WARNING, text);
}

void tell_filters(const Names& loaded, const WeightsPlan& plan) {
  std::string used;
  for (const std::string& filter : filter_names()) {
    const bool made = std::any_of(loaded.begin(), loaded.end(), [&](const Named& named) {
      return named.filter != nullptr && filter == named.filter;
    });
    if (made) used += (used.empty() ? "" : ", ") + filter;
  }
  if (!used.empty()) plan.message(VISSL_LOG_INFO, "weights: filters " + used);
}

std::vector<std::string> unused(const Names& names,
                                const std::function<bool(const Named&)>& has_target) {
  std::set<const WeightsEntry*> touched, plain;
  std::vector<const Named*> left;
  for (const Named& named : names) {
    if (!named.is_made()) plain.insert(named.tensor->entry);
    if (!has_target(named)) {
      left.push_back(&named);
      continue;
    }
    for (const WeightsEntry* entry : needed(*named.tensor)) touched.insert(entry);
  }
  std::vector<std::string> list;
  for (const Named* named : left) {
    if (named->is_spare) continue;
    if (!named->is_made()) {
      if (touched.count(named->tensor->entry) == 0) list.push_back(named->name);
      continue;
    }
    // Told once, and under its own name if it has one.
    for (const WeightsEntry* entry : needed(*named->tensor))
      if (plain.count(entry) == 0 && touched.insert(entry).second) list.push_back(entry->name);
  }
  return list;
}

}  // namespace pretrained
