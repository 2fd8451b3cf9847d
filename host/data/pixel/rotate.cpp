// Rotation by any angle as Pillow's affine transform does it: nearest in 16.16 fixed point,
// bilinear in double.
#include <charconv>
#include <cmath>
#include <cstring>
#include <numbers>

#include "host/data/pixel/geometry.hpp"
#include "host/data/pixel/vector_clones.hpp"

VISSL_PIXEL_STRICT_FLOATS

namespace vissl::host::pixel {
namespace {

// Rounds to 15 decimals through the decimal text, as Python's round() does.
double round15(double value) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, 15).ptr;
  double rounded = 0;
  std::from_chars(text, end, rounded);
  return rounded;
}

// Maps a place in the result to one in the source: (x, y) -> (xx * x + xy * y + x0, yx * x + yy * y
// + y0).
struct Affine {
  double xx, xy, x0, yx, yy, y0;

  Affine(int width, int height, double degrees) {
    const double angle = -(degrees * (std::numbers::pi / 180.0));
    xx = round15(std::cos(angle));
    xy = round15(std::sin(angle));
    yx = round15(-std::sin(angle));
    yy = round15(std::cos(angle));
    const double center_x = width / 2.0, center_y = height / 2.0;
    x0 = xx * -center_x + xy * -center_y + 0.0 + center_x;
    y0 = yx * -center_x + yy * -center_y + 0.0 + center_y;
  }

  bool fits_fixed(double x, double y) const {
    return std::fabs(x * xx + y * xy + x0) < 32768.0 && std::fabs(x * yx + y * yy + y0) < 32768.0;
  }
};

int fixed(double value) {
  return static_cast<int>(std::floor(value * 65536.0 + 0.5));
}

void rotate_nearest(const View& image, const Affine& to, Pixels& out) {
  const double w = out.width(), h = out.height();
  if (!to.fits_fixed(0, 0) || !to.fits_fixed(w, h) || !to.fits_fixed(0, h) ||
      !to.fits_fixed(w, 0)) {
    refuse("an image of this size can only be rotated by bilinear", image.width, image.height);
  }
  const std::size_t pixel = static_cast<std::size_t>(image.channels);
  const int xx = fixed(to.xx), xy = fixed(to.xy), yx = fixed(to.yx), yy = fixed(to.yy);
  int row_x = fixed(to.x0 + to.xx * 0.5 + to.xy * 0.5);
  int row_y = fixed(to.y0 + to.yx * 0.5 + to.yy * 0.5);
  for (int y = 0; y < out.height(); ++y, row_x += xy, row_y += yy) {
    std::uint8_t* p = out.row(y);
    int x_at = row_x, y_at = row_y;
    for (int x = 0; x < out.width(); ++x, p += pixel, x_at += xx, y_at += yx) {
      const int from_x = x_at >> 16, from_y = y_at >> 16;
      if (from_x >= 0 && from_x < image.width && from_y >= 0 && from_y < image.height) {
        std::memcpy(p, image.row(from_y) + from_x * image.channels, pixel);
      }
    }
  }
}

// The view and the map are copies: bytes may alias anything, so that writing a pixel would make the
// compiler read what stands behind references again.
template <int kChannels>
void rotate_bilinear(const View image, const Affine to, Pixels& out) {
  const int width = out.width();
  const auto clip = [](int v, int size) { return v < 0 ? 0 : v < size ? v : size - 1; };
  for (int y = 0; y < out.height(); ++y) {
    std::uint8_t* p = out.row(y);
    for (int x = 0; x < width; ++x, p += kChannels) {
      const double at_x = to.xx * (x + 0.5) + to.xy * (y + 0.5) + to.x0;
      const double at_y = to.yx * (x + 0.5) + to.yy * (y + 0.5) + to.y0;
      if (!(at_x >= 0.0 && at_x < image.width && at_y >= 0.0 && at_y < image.height)) continue;
      // The floor of what is at least -0.5.
      const int left = at_x < 0.5 ? -1 : static_cast<int>(at_x - 0.5);
      const int top = at_y < 0.5 ? -1 : static_cast<int>(at_y - 0.5);
      const double dx = at_x - 0.5 - left, dy = at_y - 0.5 - top;
      const std::uint8_t* upper = image.row(clip(top, image.height));
      const std::uint8_t* lower = top + 1 < image.height ? image.row(top + 1) : upper;
      const int x0 = clip(left, image.width) * kChannels;
      const int x1 = clip(left + 1, image.width) * kChannels;
      for (int c = 0; c < kChannels; ++c) {
        const double above = upper[x0 + c] + (upper[x1 + c] - upper[x0 + c]) * dx;
        const double below = lower[x0 + c] + (lower[x1 + c] - lower[x0 + c]) * dx;
        p[c] = static_cast<std::uint8_t>(above + (below - above) * dy);
      }
    }
  }
}

}  // namespace

Pixels rotate(const View& image, double degrees, Interpolation interpolation, const Fill& fill) {
  if (!std::isfinite(degrees)) {
    refuse("an image is rotated by a finite angle", image.width, image.height);
  }
  if (interpolation != Interpolation::nearest && interpolation != Interpolation::bilinear) {
    refuse("an image is rotated by nearest or bilinear", image.width, image.height);
  }
  double angle = std::fmod(degrees, 360.0);
  if (angle < 0) angle += 360.0;
  const bool square = image.width == image.height;
  if (angle == 0 || angle == 180 || (square && (angle == 90 || angle == 270))) {
    return rotate_quarters(image, static_cast<int>(angle) / 90);
  }
  Pixels out(image.width, image.height, image.channels);
  for (std::size_t i = 0; i < out.size_bytes(); ++i) {
    out.data()[i] = fill[i % static_cast<std::size_t>(image.channels)];
  }
  const Affine to(image.width, image.height, angle);
  if (interpolation == Interpolation::nearest) {
    rotate_nearest(image, to, out);
  } else if (image.channels == 1) {
    rotate_bilinear<1>(image, to, out);
  } else if (image.channels == 3) {
    rotate_bilinear<3>(image, to, out);
  } else {
    rotate_bilinear<4>(image, to, out);
  }
  return out;
}

}  // namespace vissl::host::pixel
