#include "host/data/pixel/color.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "host/data/pixel/vector_clones.hpp"

VISSL_PIXEL_STRICT_FLOATS

namespace vissl::host::pixel {
namespace {

// Luma in 16-bit fixed point; the weights add up to 1, so that gray stays as it is.
[[gnu::always_inline]] inline int luma(int r, int g, int b) {
  return (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16;
}

// Image.blend; for alpha within 0..1 the clip changes nothing. Needs |alpha| <= kMaxAlpha.
[[gnu::always_inline]] inline std::uint8_t blend_clipped(int from, int to, float alpha) {
  const float value = static_cast<float>(from) + alpha * static_cast<float>(to - from);
  return static_cast<std::uint8_t>(std::min(std::max(static_cast<int>(value), 0), 255));
}

// Beyond it every difference saturates, so that larger factors may be cut down to it.
constexpr float kMaxAlpha = 1e6f;

float alpha_of(const Pixels& image, double factor) {
  if (std::isnan(factor)) refuse("a colour factor is a number", image.width(), image.height());
  return static_cast<float>(
      std::clamp(factor, -static_cast<double>(kMaxAlpha), static_cast<double>(kMaxAlpha)));
}

VISSL_PIXEL_CLONES
void luma_row(const std::uint8_t* __restrict rgb, std::uint8_t* __restrict gray, std::ptrdiff_t n) {
  for (std::ptrdiff_t i = 0; i < n; ++i) {
    gray[i] = static_cast<std::uint8_t>(luma(rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]));
  }
}

VISSL_PIXEL_CLONES
std::int64_t luma_sum(const std::uint8_t* rgb, std::ptrdiff_t n) {
  constexpr std::ptrdiff_t kBlock = 1 << 20;  // sums of a block fit 32 bits
  std::int64_t total = 0;
  for (std::ptrdiff_t start = 0; start < n; start += kBlock) {
    const std::uint8_t* at = rgb + 3 * start;
    const std::ptrdiff_t count = std::min(kBlock, n - start);
    std::int32_t sum = 0;
    for (std::ptrdiff_t i = 0; i < count; ++i) {
      sum += luma(at[3 * i], at[3 * i + 1], at[3 * i + 2]);
    }
    total += sum;
  }
  return total;
}

VISSL_PIXEL_CLONES
void saturate(std::uint8_t* rgb, std::ptrdiff_t n, float alpha) {
  for (std::ptrdiff_t i = 0; i < n; ++i) {
    std::uint8_t* p = rgb + 3 * i;
    const int r = p[0], g = p[1], b = p[2];
    const int gray = luma(r, g, b);
    p[0] = blend_clipped(gray, r, alpha);
    p[1] = blend_clipped(gray, g, alpha);
    p[2] = blend_clipped(gray, b, alpha);
  }
}

std::ptrdiff_t pixels_of(const Pixels& image) {
  return std::ptrdiff_t{image.width()} * image.height();
}

std::ptrdiff_t bytes_of(const Pixels& image) {
  return static_cast<std::ptrdiff_t>(image.size_bytes());
}

void need_gray_or_rgb(const Pixels& image) {
  if (image.channels() != 1 && image.channels() != 3) {
    refuse("colour operations take 1 or 3 channels, not 4", image.width(), image.height());
  }
}

int mean_gray(const Pixels& image) {
  const std::ptrdiff_t n = pixels_of(image);
  std::int64_t sum = 0;
  if (image.channels() == 3) {
    sum = luma_sum(image.data(), n);
  } else {
    for (std::ptrdiff_t i = 0; i < n; ++i) sum += image.data()[i];
  }
  return static_cast<int>(static_cast<double>(sum) / static_cast<double>(n) + 0.5);
}

VISSL_PIXEL_CLONES
void blend_with_constant(std::uint8_t* bytes, std::ptrdiff_t n, int constant, float alpha) {
  for (std::ptrdiff_t i = 0; i < n; ++i) bytes[i] = blend_clipped(constant, bytes[i], alpha);
}

// out = image smoothed by the kernel (1 1 1, 1 5 1, 1 1 1) / 13 and blended; the sums' order is
// Pillow's.
VISSL_PIXEL_CLONES
void sharpen_row(const std::uint8_t* __restrict above, const std::uint8_t* __restrict here,
                 const std::uint8_t* __restrict below, std::uint8_t* __restrict out,
                 std::ptrdiff_t n, std::ptrdiff_t channels, float alpha) {
  const float edge = 1.0f / 13.0f, middle = 5.0f / 13.0f;
  const auto f = [](std::uint8_t v) { return static_cast<float>(v); };
  for (std::ptrdiff_t i = channels; i < n - channels; ++i) {
    const std::ptrdiff_t l = i - channels, r = i + channels;
    float sum = 0.5f;
    sum += f(below[l]) * edge + f(below[i]) * edge + f(below[r]) * edge;
    sum += f(here[l]) * edge + f(here[i]) * middle + f(here[r]) * edge;
    sum += f(above[l]) * edge + f(above[i]) * edge + f(above[r]) * edge;
    out[i] = blend_clipped(static_cast<int>(sum), here[i], alpha);
  }
}

}  // namespace

void adjust_brightness(Pixels& image, double factor) {
  need_gray_or_rgb(image);
  blend_with_constant(image.data(), bytes_of(image), 0, alpha_of(image, factor));
}

void adjust_contrast(Pixels& image, double factor) {
  need_gray_or_rgb(image);
  const float alpha = alpha_of(image, factor);
  blend_with_constant(image.data(), bytes_of(image), mean_gray(image), alpha);
}

void adjust_saturation(Pixels& image, double factor) {
  need_gray_or_rgb(image);
  const float alpha = alpha_of(image, factor);
  if (image.channels() == 3 && alpha != 1.0f) saturate(image.data(), pixels_of(image), alpha);
}

void adjust_sharpness(Pixels& image, double factor) {
  need_gray_or_rgb(image);
  const float alpha = alpha_of(image, factor);
  // The kernel leaves the outermost pixels alone, and images below its size altogether.
  if (image.width() < 3 || image.height() < 3 || alpha == 1.0f) return;
  const std::size_t row_bytes = static_cast<std::size_t>(image.row_bytes());
  std::vector<std::uint8_t> above(row_bytes), here(row_bytes);
  std::memcpy(here.data(), image.row(0), row_bytes);
  for (int y = 1; y + 1 < image.height(); ++y) {
    above.swap(here);
    std::memcpy(here.data(), image.row(y), row_bytes);
    sharpen_row(above.data(), here.data(), image.row(y + 1), image.row(y), image.row_bytes(),
                image.channels(), alpha);
  }
}

Pixels to_gray(const View& image) {
  if (image.channels == 1) return Pixels(image);
  if (image.channels != 3) refuse("gray is made of 1 or 3 channels", image.width, image.height);
  Pixels gray(image.width, image.height, 1);
  for (int y = 0; y < image.height; ++y) luma_row(image.row(y), gray.row(y), image.width);
  return gray;
}

Pixels to_rgb(const View& gray) {
  if (gray.channels == 3) return Pixels(gray);
  if (gray.channels != 1) refuse("RGB is made of 1 or 3 channels", gray.width, gray.height);
  Pixels rgb(gray.width, gray.height, 3);
  for (int y = 0; y < gray.height; ++y) {
    const std::uint8_t* in = gray.row(y);
    std::uint8_t* out = rgb.row(y);
    for (int x = 0; x < gray.width; ++x, out += 3) out[0] = out[1] = out[2] = in[x];
  }
  return rgb;
}

void replace_by_gray(Pixels& image) {
  need_gray_or_rgb(image);
  image = to_rgb(to_gray(image));
}

}  // namespace vissl::host::pixel
