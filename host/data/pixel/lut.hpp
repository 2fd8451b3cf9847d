#pragma once
// Maps of 8-bit values, the same for every pixel.
#include <array>

#include "host/data/pixel/image.hpp"

namespace vissl::host::pixel {

using Lut = std::array<std::uint8_t, 256>;
using Histogram = std::array<std::int64_t, 256>;

// Replaces every byte by its entry; or those of channel c by luts[c] (`channels` entries).
void apply_lut(Pixels& image, const Lut& lut);
void apply_luts(Pixels& image, const Lut* luts);

// Pillow's Image.blend of two 8-bit values; alpha outside 0..1 extrapolates and clips.
inline std::uint8_t blend(int from, int to, float alpha) {
  const float value = static_cast<float>(from) + alpha * static_cast<float>(to - from);
  return static_cast<std::uint8_t>(value <= 0.0f ? 0.0f : value >= 255.0f ? 255.0f : value);
}

}  // namespace vissl::host::pixel
