#pragma once
#include <string>
#include <string_view>

#include "host/config/value.hpp"

namespace vissl::host {

// A JSON string with its quotes. Bytes that are no UTF-8 become U+FFFD.
std::string json_quoted(std::string_view text);

// A config tree as JSON. NaN and infinities, which JSON lacks, become null. `indent` < 0 gives one
// line.
std::string to_json(const Value& value, int indent = 2);

}  // namespace vissl::host
