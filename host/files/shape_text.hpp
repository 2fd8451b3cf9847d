#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace vissl::host {

// "[64, 3, 7, 7]", as Python and JSON write it.
inline std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (const std::int64_t size : shape)
    text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

}  // namespace vissl::host
