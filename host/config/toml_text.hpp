#pragma once
// Values as TOML text. The text reads back as an equal tree.
#include <string>
#include <string_view>

#include "host/config/value.hpp"

namespace vissl::host {

// A key, quoted where TOML demands it.
std::string toml_key(std::string_view key);

// One value on one line: 0.1, "mean", [1, 2], { name = "sgd" }.
std::string inline_toml(const Value& value);

// A whole document. Tables become [sections]; a list that would be long stands one element per
// line.
std::string toml_document(const Value& root);

}  // namespace vissl::host
