// Hue shift. Pillow's RGB to HSV mixes single and double precision, and where a hue falls on a
// whole number its rounding errors decide; so that half is computed in the same types and order.
// The way back never comes near a tie, so that integers give the same result (checked against
// Pillow over all 2^24 colours).
#include <algorithm>
#include <cmath>

#include "host/data/pixel/color.hpp"
#include "host/data/pixel/vector_clones.hpp"

VISSL_PIXEL_STRICT_FLOATS

namespace vissl::host::pixel {
namespace {

constexpr int kBlock = 64;  // pixels that are worked on between two changes of layout

// One channel per array, so that neighbours in memory take the same steps.
struct Block {
  alignas(64) std::int32_t a[kBlock];
  alignas(64) std::int32_t b[kBlock];
  alignas(64) std::int32_t c[kBlock];
};

// (r, g, b) to (h, s, v), each 0..255.
[[gnu::always_inline]] inline void to_hsv(Block& p) {
  for (int i = 0; i < kBlock; ++i) {
    const std::int32_t r = p.a[i], g = p.b[i], b = p.c[i];
    const std::int32_t high = std::max(r, std::max(g, b));
    const std::int32_t low = std::min(r, std::min(g, b));
    const float range = static_cast<float>(high == low ? 1 : high - low);
    // Distances from the highest channel, as parts of the range; the two that count depend on which
    // it is.
    const std::int32_t to_r = high - r, to_g = high - g, to_b = high - b;
    const std::int32_t plus = to_r == 0 ? to_b : to_g == 0 ? to_r : to_g;
    const std::int32_t minus = to_r == 0 ? to_g : to_g == 0 ? to_b : to_r;
    const double sector = to_r == 0 ? 0.0 : to_g == 0 ? 2.0 : 4.0;
    const double first = static_cast<float>(plus) / range;
    const double second = static_cast<float>(minus) / range;
    const float angle = static_cast<float>(sector + first - second);
    // Pillow divides by 6; the product's last bit never decides (checked over all colours).
    const double turns = angle * (1.0 / 6.0) + 1.0;
    const float hue = static_cast<float>(turns >= 1.0 ? turns - 1.0 : turns);
    const std::int32_t h = std::min(static_cast<std::int32_t>(hue * 255.0), 255);
    // 255 * range / high is either whole or 1/255 away from it: single precision cannot cross.
    const std::int32_t s = static_cast<std::int32_t>(static_cast<float>(255 * (high - low)) /
                                                     static_cast<float>(std::max(high, 1)));
    p.a[i] = high == low ? 0 : h;
    p.b[i] = s;
    p.c[i] = high;
  }
}

// round(v * (1 - k / 21675)), where 21675 = 255 * 85 stands for full saturation. The numerator is
// below 2^24 and odd while the denominator is even, so the quotient stays clear of whole numbers by
// more than the product's error.
[[gnu::always_inline]] inline std::int32_t darken(std::int32_t v, std::int32_t k) {
  const std::int32_t numerator = 2 * v * (21675 - k) + 21675;
  return static_cast<std::int32_t>(static_cast<float>(numerator) * (1.0f / 43350.0f));
}

// One channel of (h, s, v): v over two sectors of the hue circle, v * (1 - s) over two, and a ramp
// between. `turn` is the hue in 85ths of a sector, 0..510, plus the channel's place on the circle.
[[gnu::always_inline]] inline std::int32_t channel(std::int32_t turn, std::int32_t s,
                                                   std::int32_t v) {
  const std::int32_t k = turn >= 510 ? turn - 510 : turn;
  const std::int32_t away = std::min(std::max(std::min(k, 340 - k), 0), 85);
  return darken(v, s * away);
}

// (h, s, v) with h shifted by `shift` (mod 256) to (r, g, b).
[[gnu::always_inline]] inline void to_rgb(Block& p, std::int32_t shift) {
  for (int i = 0; i < kBlock; ++i) {
    const std::int32_t turn = 2 * ((p.a[i] + shift) & 255), s = p.b[i], v = p.c[i];
    p.a[i] = channel(turn + 5 * 85, s, v);
    p.b[i] = channel(turn + 3 * 85, s, v);
    p.c[i] = channel(turn + 1 * 85, s, v);
  }
}

VISSL_PIXEL_CLONES
void shift_hue(std::uint8_t* rgb, std::ptrdiff_t n, std::int32_t shift) {
  Block block{};
  for (std::ptrdiff_t start = 0; start < n; start += kBlock) {
    std::uint8_t* at = rgb + 3 * start;
    const int count = static_cast<int>(std::min<std::ptrdiff_t>(kBlock, n - start));
    for (int i = 0; i < count; ++i) {
      block.a[i] = at[3 * i];
      block.b[i] = at[3 * i + 1];
      block.c[i] = at[3 * i + 2];
    }
    to_hsv(block);
    to_rgb(block, shift);
    for (int i = 0; i < count; ++i) {
      at[3 * i] = static_cast<std::uint8_t>(block.a[i]);
      at[3 * i + 1] = static_cast<std::uint8_t>(block.b[i]);
      at[3 * i + 2] = static_cast<std::uint8_t>(block.c[i]);
    }
  }
}

}  // namespace

void adjust_hue(Pixels& image, double factor) {
  if (!(factor >= -0.5 && factor <= 0.5)) {
    refuse("a hue shift lies within -0.5 and 0.5 turns", image.width(), image.height());
  }
  if (image.channels() == 1) return;
  if (image.channels() != 3) {
    refuse("colour operations take 1 or 3 channels, not 4", image.width(), image.height());
  }
  // Also a shift by nothing takes the way through HSV, which rounds.
  const std::int32_t shift = static_cast<std::int32_t>(factor * 255) & 255;
  shift_hue(image.data(), std::ptrdiff_t{image.width()} * image.height(), shift);
}

}  // namespace vissl::host::pixel
