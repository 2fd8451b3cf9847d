#include "host/data/pixel/geometry.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace vissl::host::pixel {
namespace {

// Visits whole pixels of a known size, so that the compiler moves them in one piece.
template <typename Body>
void for_channels(int channels, const Body& body) {
  switch (channels) {
    case 1:
      return body(std::integral_constant<int, 1>());
    case 3:
      return body(std::integral_constant<int, 3>());
    default:
      return body(std::integral_constant<int, 4>());
  }
}

Pixels filled(int width, int height, int channels, const Fill& fill) {
  Pixels out(width, height, channels);
  for (std::size_t i = 0; i < out.size_bytes(); ++i) {
    out.data()[i] = fill[i % static_cast<std::size_t>(channels)];
  }
  return out;
}

// Copies what the image and the window share; (left, top) is the window's place in the image.
void paste_window(const View& image, int top, int left, Pixels& out) {
  const std::int64_t first_x = std::max<std::int64_t>(0, -std::int64_t{left});
  const std::int64_t last_x = std::min<std::int64_t>(out.width(), std::int64_t{image.width} - left);
  const std::int64_t first_y = std::max<std::int64_t>(0, -std::int64_t{top});
  const std::int64_t last_y =
      std::min<std::int64_t>(out.height(), std::int64_t{image.height} - top);
  if (first_x >= last_x) return;
  for (std::int64_t y = first_y; y < last_y; ++y) {
    std::memcpy(out.row(static_cast<int>(y)) + first_x * image.channels,
                image.row(static_cast<int>(y + top)) + (first_x + left) * image.channels,
                static_cast<std::size_t>((last_x - first_x) * image.channels));
  }
}

// Where position i of a padded side of `size` pixels comes from.
int padded_source(std::int64_t i, int size, PadMode mode) {
  if (mode == PadMode::edge || size == 1) {
    return static_cast<int>(std::clamp<std::int64_t>(i, 0, size - 1));
  }
  const std::int64_t period =
      mode == PadMode::reflect ? 2 * (std::int64_t{size} - 1) : 2 * std::int64_t{size};
  const std::int64_t k = (i % period + period) % period;
  if (k < size) return static_cast<int>(k);
  return static_cast<int>(mode == PadMode::reflect ? period - k : period - 1 - k);
}

}  // namespace

Pixels flip_horizontal(const View& image) {
  Pixels out(image.width, image.height, image.channels);
  for_channels(image.channels, [&](auto channels) {
    constexpr int kSize = channels;
    for (int y = 0; y < image.height; ++y) {
      const std::uint8_t* in = image.row(y);
      std::uint8_t* to = out.row(y) + out.row_bytes() - kSize;
      for (int x = 0; x < image.width; ++x, in += kSize, to -= kSize) std::memcpy(to, in, kSize);
    }
  });
  return out;
}

Pixels flip_vertical(const View& image) {
  Pixels out(image.width, image.height, image.channels);
  for (int y = 0; y < image.height; ++y) {
    std::memcpy(out.row(image.height - 1 - y), image.row(y),
                static_cast<std::size_t>(out.row_bytes()));
  }
  return out;
}

Pixels rotate_quarters(const View& image, int turns) {
  turns &= 3;
  if (turns == 0) return Pixels(image);
  if (turns == 2) return flip_horizontal(flip_vertical(image));
  Pixels out(image.height, image.width, image.channels);
  for_channels(image.channels, [&](auto channels) {
    constexpr int kSize = channels;
    for (int y = 0; y < out.height(); ++y) {
      std::uint8_t* to = out.row(y);
      // A quarter to the left makes the last column the first row; to the right, the first column
      // upside down.
      const int column = turns == 1 ? image.width - 1 - y : y;
      for (int x = 0; x < out.width(); ++x, to += kSize) {
        const int row = turns == 1 ? x : image.height - 1 - x;
        std::memcpy(to, image.row(row) + column * kSize, kSize);
      }
    }
  });
  return out;
}

Pixels crop_padded(const View& image, int top, int left, int height, int width) {
  const bool inside =
      top >= 0 && left >= 0 && height <= image.height - top && width <= image.width - left;
  if (inside) return Pixels(image.crop(top, left, height, width));
  Pixels out(width, height, image.channels, 0);
  paste_window(image, top, left, out);
  return out;
}

Pixels center_crop(const View& image, int height, int width) {
  // A missing odd pixel goes to the right and the bottom; an odd pixel too many is rounded to even
  // by nearbyint.
  const auto start = [](int size, int wanted) {
    if (wanted > size) return -((wanted - size) / 2);
    return static_cast<int>(std::nearbyint((size - wanted) / 2.0));
  };
  return crop_padded(image, start(image.height, height), start(image.width, width), height, width);
}

Pixels pad(const View& image, int left, int top, int right, int bottom, PadMode mode,
           const Fill& fill) {
  const std::int64_t width = std::int64_t{image.width} + left + right;
  const std::int64_t height = std::int64_t{image.height} + top + bottom;
  if (left < 0 || top < 0 || right < 0 || bottom < 0 || width > INT32_MAX || height > INT32_MAX) {
    refuse("a border is at least 0 pixels wide", image.width, image.height);
  }
  const int out_width = static_cast<int>(width), out_height = static_cast<int>(height);
  if (mode == PadMode::constant) {
    Pixels out = filled(out_width, out_height, image.channels, fill);
    paste_window(image, -top, -left, out);
    return out;
  }
  Pixels out(out_width, out_height, image.channels);
  std::vector<int> columns(static_cast<std::size_t>(out_width));
  for (int x = 0; x < out_width; ++x) {
    columns[static_cast<std::size_t>(x)] =
        padded_source(std::int64_t{x} - left, image.width, mode) * image.channels;
  }
  for_channels(image.channels, [&](auto channels) {
    constexpr int kSize = channels;
    for (int y = 0; y < out_height; ++y) {
      const std::uint8_t* in = image.row(padded_source(std::int64_t{y} - top, image.height, mode));
      std::uint8_t* to = out.row(y);
      for (int column : columns) {
        std::memcpy(to, in + column, kSize);
        to += kSize;
      }
    }
  });
  return out;
}

}  // namespace vissl::host::pixel
