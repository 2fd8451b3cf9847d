#pragma once
#include <string>
#include <string_view>

namespace vissl::host {

// The first method that a class table of `kind` must have and `table` lacks; empty = none. The
// table has at least the size that this host knows.
std::string missing_slot(std::string_view kind, const void* table);

}  // namespace vissl::host
