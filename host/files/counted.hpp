#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace vissl::host {

// "1 channel", "3 channels".
inline std::string counted(std::int64_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

}  // namespace vissl::host
