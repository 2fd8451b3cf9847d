#pragma once
// Configs for components that nobody wrote one for.
#include <map>
#include <string>
#include <vector>

#include "host/plugin/catalogue.hpp"

namespace vissl::host {

struct MadeConfigs {
  std::vector<Value> configs;  // worth a try, in this order
  bool made_up = false;        // a required value was invented
  std::string missing;         // why there is none: "the file 'path'"
};

// Tables with all defaults of the component, `given` (parameter -> TOML text) over them, and
// invented values within the bounds for what is required. Throws Error for a given value that does
// not fit its declaration.
MadeConfigs make_configs(PluginCatalogue& catalogue, const Declaration& declaration,
                         const std::map<std::string, std::string>& given);

}  // namespace vissl::host
