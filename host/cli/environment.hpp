#pragma once
#include <string>
#include <vector>

#include "host/plugin/metadata.hpp"

namespace vissl::host {

// env.json of a run folder: command line, working folder, host, processor, versions, the plugins
// that the run uses, and the environment variables that change a run. The runtime adds its part
// (engines/train.cpp).
std::string environment_json(const std::vector<std::string>& arguments,
                             const std::vector<const PluginFile*>& plugins);

}  // namespace vissl::host
