#pragma once
// Tables of 8-bit values for Image::map, equal to Pillow's ImageOps.
#include <vissl/error.hpp>

#include <cstdint>
#include <vector>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

// Inverts the values at or above `threshold`, 0 (all) to 256 (none).
inline std::vector<std::uint8_t> solarize_table(std::int64_t threshold) {
  std::vector<std::uint8_t> table(256);
  for (std::int64_t v = 0; v < 256; ++v) {
    table[static_cast<std::size_t>(v)] = static_cast<std::uint8_t>(v < threshold ? v : 255 - v);
  }
  return table;
}

// Keeps the `bits` highest bits, 0 to 8.
inline std::vector<std::uint8_t> posterize_table(std::int64_t bits) {
  std::vector<std::uint8_t> table(256);
  const int mask = 0xFF00 >> bits & 0xFF;
  for (int v = 0; v < 256; ++v) {
    table[static_cast<std::size_t>(v)] = static_cast<std::uint8_t>(v & mask);
  }
  return table;
}

}  // namespace abi1
}  // namespace vissl
