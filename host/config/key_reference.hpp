#pragma once
// All keys of a config as Markdown: the host's own from its schema, the components' from what they
// declare.
#include <string>
#include <vector>

#include "host/config/declaration.hpp"

namespace vissl::host {

// The sections of the host in the order of its schema, then the components in the order in which
// they come, which keeps those of a kind together. The same declarations give the same text.
std::string key_reference(const std::vector<const Declaration*>& components);

}  // namespace vissl::host
