#pragma once
// TOML text to values. Every node remembers where it stands. Errors: Error(Exit::usage) that starts
// with file:line:column.
#include <string>
#include <string_view>

#include "host/config/value.hpp"

namespace vissl::host {

// Reads a file; `shown` is its name in messages and origins.
Value read_toml_file(const std::string& path, const std::string& shown);

// A document from memory; `shown` stands for a file name.
Value parse_toml(std::string_view text, const std::string& shown);

// One value: 0.1, "mean", [1, 2], { a = 1 }. All nodes get `origin`. Throws Error(Exit::usage) with
// a reason and no place.
Value parse_toml_value(std::string_view text, const Origin& origin = {});

}  // namespace vissl::host
