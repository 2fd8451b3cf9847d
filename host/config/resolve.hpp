#pragma once
// From files and settings to one checked config with every value in place.
#include <memory>
#include <string>
#include <vector>

#include "host/config/declaration.hpp"
#include "host/config/value.hpp"

namespace vissl::host {

struct ResolvedConfig {
  std::unique_ptr<Value> root;        // stays where it is: plugins keep pointers into it
  std::vector<std::string> notes;     // components that a layer replaced
  std::vector<std::string> warnings;  // deprecated keys
};

// `files`: --config in order. `settings`: key.path=value in order. Throws Error(Exit::usage) for
// anything wrong with them, and Error(Exit::bad_plugin) when a plugin that the config names cannot
// be used. [main]
ResolvedConfig resolve_config(const std::vector<std::string>& files,
                              const std::vector<std::string>& settings, DeclarationIndex& index);

// The second half of it, for a tree that is already there: fills in defaults, infers and checks.
// Returns the warnings. Throws as resolve_config does. [main]
std::vector<std::string> complete_config(Value& root, DeclarationIndex& index);

}  // namespace vissl::host
