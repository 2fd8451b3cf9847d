#pragma once
// Gaussian blur equal, bit for bit, to Pillow's ImageFilter.GaussianBlur: three box blurs of
// fractional radius along the rows and three down the columns, each rounded to 8 bits. The time per
// pixel does not depend on the radius.
#include "host/data/pixel/image.hpp"

namespace vissl::host::pixel {

// `radius` is the standard deviation in pixels, at least 0 (throws below); 0 changes nothing. Works
// on any channels.
void gaussian_blur(Pixels& image, double radius);

}  // namespace vissl::host::pixel
