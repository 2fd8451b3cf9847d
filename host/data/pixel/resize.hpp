#pragma once
// Resizing equal, bit for bit, to Pillow's Image.resize (and so to torchvision's resize of PIL
// images): antialiased filters whose support grows with the reduction, weights in 22-bit fixed
// point, one pass along the rows and one down the columns, each rounded to 8 bits, in the order of
// Pillow 13.
#include "host/data/pixel/image.hpp"

namespace vissl::host::pixel {

enum class Interpolation { nearest, box, bilinear, hamming, bicubic, lanczos };

// The part of the source to be scaled, in pixels; edges may fall between pixels (float32, as Pillow
// keeps them).
struct Box {
  float left, top, right, bottom;
};

// Returns `out_height` x `out_width` pixels. Pixels outside the box but inside the filter's support
// contribute, as in Pillow. Throws if a size is below 1 or the box is empty or leaves the image.
// Four channels are treated alike.
Pixels resize(const View& source, int out_height, int out_width, Interpolation interpolation);
Pixels resize(const View& source, int out_height, int out_width, Interpolation interpolation,
              const Box& box);

// torchvision's resized_crop: cuts the window first, so that no pixel outside of it contributes.
Pixels resized_crop(const View& source, int top, int left, int height, int width, int out_height,
                    int out_width, Interpolation interpolation);

}  // namespace vissl::host::pixel
