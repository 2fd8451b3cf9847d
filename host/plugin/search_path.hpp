#pragma once
#include <string>
#include <vector>

#include "host/plugin/metadata.hpp"

namespace vissl::host {

// The folders to look in, in order, absolute and without repetition: `given` (--plugins; a missing
// one is Error(Exit::usage)), then the colon list `variable` (VISSL_PLUGIN_PATH; missing ones are
// skipped). When both are empty: the built-in plugins beside the executable, in a build tree or an
// installed one. A place may also be one .so file.
std::vector<std::string> plugin_places(const std::vector<std::string>& given,
                                       const std::string& variable,
                                       const std::string& executable_folder);

// Reads every NAME.so of the places; sorted by place, then by name. A file that is met twice is
// read once.
std::vector<PluginFile> discover_plugins(const std::vector<std::string>& places);

}  // namespace vissl::host
