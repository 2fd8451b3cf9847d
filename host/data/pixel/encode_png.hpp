#pragma once
#include <cstdint>
#include <vector>

#include "host/data/pixel/image.hpp"

namespace vissl::host::pixel {

// The image as a PNG file, 8 bits per channel, gray or RGB (throws for 4 channels). The same pixels
// give the same bytes.
std::vector<std::uint8_t> encode_png(const View& image);

}  // namespace vissl::host::pixel
