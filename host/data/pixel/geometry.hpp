#pragma once
// Moves pixels around, equal to Pillow's transpose, rotate and crop and to torchvision's
// center_crop and pad of PIL images. Any number of channels, treated alike. All functions return
// new images.
#include <array>

#include "host/data/pixel/image.hpp"
#include "host/data/pixel/resize.hpp"

namespace vissl::host::pixel {

using Fill = std::array<std::uint8_t,
                        4>;  // one value per channel; those past the image's channels are ignored

Pixels flip_horizontal(const View& image);
Pixels flip_vertical(const View& image);

// Counter-clockwise by `turns` quarters (any integer); odd ones exchange width and height.
Pixels rotate_quarters(const View& image, int turns);

// Counter-clockwise about the middle by `degrees`, into an image of the same size:
// Image.rotate(expand=False). What has no source becomes `fill`. Takes nearest and bilinear (throws
// for others). Multiples of 90 degrees move whole pixels; on an image that is not square, 90 and
// 270 lose what does not fit and leave a border.
Pixels rotate(const View& image, double degrees, Interpolation interpolation,
              const Fill& fill = {});

// The window may leave the image on any side; what lies outside is 0.
Pixels crop_padded(const View& image, int top, int left, int height, int width);

// The middle of the image; half pixels round to the even neighbour. Sides that are too short get
// black borders.
Pixels center_crop(const View& image, int height, int width);

enum class PadMode {
  constant,   // fill
  edge,       // repeats the outermost pixel
  reflect,    // mirrors without repeating it
  symmetric,  // mirrors and repeats it
};

// Adds borders of the given widths (at least 0, else throws).
Pixels pad(const View& image, int left, int top, int right, int bottom,
           PadMode mode = PadMode::constant, const Fill& fill = {});

}  // namespace vissl::host::pixel
