#pragma once
// Config files and what they extend, merged into one tree.
#include <string>
#include <vector>

#include "host/config/value.hpp"

namespace vissl::host {

// Reads each file, what it extends before it (`extends = "base.toml"` or a list, relative to the
// file), and merges them in order: tables merge, anything else replaces. A layer that changes a
// component's `name` replaces its whole table and adds a sentence to `notes`. Throws
// Error(Exit::usage): unreadable file, syntax, a circle of `extends`.
Value load_layers(const std::vector<std::string>& files, std::vector<std::string>& notes);

// Merges `over` into `base`. `path` names `base` in notes.
void merge_layer(Value& base, Value over, const std::string& path, std::vector<std::string>& notes);

}  // namespace vissl::host
