#pragma once
// What `show models` lists: networks, and weights that have a name.
#include <string>
#include <vector>

#include "host/cli/session.hpp"

namespace vissl::host {

struct ShownModel {
  std::string name;    // "trunk/resnet", or a locator: "torchvision://resnet50"
  std::string text;    // the network's sentence, or the address of the weights
  std::string sha256;  // of weights: of the content or its beginning; empty = not known
  bool is_network;
};

// Networks first, each part sorted by name. A config of the session adds its names of weights.
std::vector<ShownModel> shown_models(Session& session, bool only_weights);

// Those that a pattern of the shell fits, whole or without what stands before the name
// ("resnet50*"); case does not count. Throws Error(Exit::usage) with the nearest names when there
// are none.
std::vector<ShownModel> fitting_models(const std::vector<ShownModel>& models,
                                       const std::string& pattern);

}  // namespace vissl::host
