#pragma once
// What components conclude from the rest of the config: derive, imply and require of params.h.
#include <vector>

#include "host/config/check.hpp"

namespace vissl::host {

// One round: sets what the components derive and imply, unless the user did. Returns whether
// anything changed. Throws Error(Exit::usage) when two components want different values for one
// place, or a strict derivation meets another value of the user.
bool infer_once(Value& root, const std::vector<Placed>& components);

// Throws Error(Exit::usage) for the first requirement that the config does not fulfil.
void check_requirements(const Value& root, const std::vector<Placed>& components);

// The value of a derivation's expression: a path, len(path), last(path), sum(path) or product(path,
// path). None when a path leads nowhere. Throws Error(Exit::bad_plugin) for a text that is no
// expression; `component` names whose it is.
Value evaluate(const Value& root, const std::string& expression, const std::string& component);

}  // namespace vissl::host
