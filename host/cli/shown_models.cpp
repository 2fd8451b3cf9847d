#include "host/cli/shown_models.hpp"

#include <fnmatch.h>

#include <algorithm>

#include "host/config/suggest.hpp"

namespace vissl::host {
namespace {

// "resnet50" of "torchvision://resnet50" and of "trunk/resnet50".
std::string bare(const std::string& name) {
  const std::size_t mark = name.find("://");
  return name.substr(mark != std::string::npos ? mark + 3 : name.find('/') + 1);
}

bool fits(const std::string& name, const std::string& pattern) {
  return ::fnmatch(pattern.c_str(), name.c_str(), FNM_CASEFOLD) == 0 ||
         ::fnmatch(pattern.c_str(), bare(name).c_str(), FNM_CASEFOLD) == 0;
}

// "; did you mean 'a' or 'b'?", or how many there are.
std::string hint(const std::vector<ShownModel>& models, const std::string& pattern) {
  std::string wanted = pattern;
  std::erase_if(wanted,
                [](char c) { return std::string_view("*?[]").find(c) != std::string::npos; });
  const bool is_whole = wanted.find("://") != std::string::npos;
  std::vector<std::string> known;
  for (const ShownModel& model : models) known.push_back(is_whole ? model.name : bare(model.name));
  const std::string text = suggestion(wanted, known, /*most_listed=*/0);
  return text.empty() ? "; 'vissl-host show models' lists all " + std::to_string(models.size())
                      : text;
}

}  // namespace

std::vector<ShownModel> shown_models(Session& session, bool only_weights) {
  PluginCatalogue& catalogue = session.catalogue();
  std::vector<ShownModel> models;
  if (!only_weights)
    for (const CatalogueEntry& entry : catalogue.entries())
      if (entry.kind == "trunk")
        models.push_back({"trunk/" + entry.name, entry.sentence, "", true});
  for (KnownWeights& known : catalogue.known_weights())
    models.push_back(
        {std::move(known.locator), std::move(known.place), std::move(known.sha256), false});
  return models;
}

std::vector<ShownModel> fitting_models(const std::vector<ShownModel>& models,
                                       const std::string& pattern) {
  std::vector<ShownModel> fitting;
  std::ranges::copy_if(models, std::back_inserter(fitting),
                       [&](const ShownModel& model) { return fits(model.name, pattern); });
  if (fitting.empty())
    throw Error(Exit::usage, "no model is called '" + pattern + "'" + hint(models, pattern));
  return fitting;
}

}  // namespace vissl::host
