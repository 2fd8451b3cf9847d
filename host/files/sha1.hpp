#pragma once
#include <string>
#include <string_view>

namespace vissl::host {

// SHA-1 (FIPS 180-4) in 40 lower-case hexadecimal digits. For names that other programs made with
// it; it protects nothing.
std::string sha1_hex(std::string_view text);

}  // namespace vissl::host
