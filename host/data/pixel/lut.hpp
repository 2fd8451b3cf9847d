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

}  // namespace vissl::host::pixel
