#pragma once
#include <span>

#include "host/data/pixel/image.hpp"

namespace vissl::host::pixel {

// Lays images (1 or 3 channels, any sizes) out in a grid on white, row by row, `columns` to a row,
// each at the top left of a cell as large as the largest image, with `padding` pixels around and
// between the cells. Returns RGB. Throws if there is no image, columns is below 1, padding is below
// 0 or the sheet would have more than 10^9 pixels.
Pixels contact_sheet(std::span<const View> images, int columns, int padding);

}  // namespace vissl::host::pixel
