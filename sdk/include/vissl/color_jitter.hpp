#pragma once
// torchvision's ColorJitter, which several transforms contain: random brightness, contrast,
// saturation and hue in random order.
#include <vissl/crops.hpp>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

class ColorJitter {
 public:
  // Strengths x >= 0: factors in [max(0, 1 - x), 1 + x], hue (at most 0.5) in [-x, x] turns.
  ColorJitter(double brightness, double contrast, double saturation, double hue)
      : ColorJitter(around_one(brightness), around_one(contrast), around_one(saturation),
                    {-hue, hue}) {}
  ColorJitter(Range brightness, Range contrast, Range saturation, Range hue)
      : ranges_{brightness, contrast, saturation, hue} {}
  static Range around_one(double strength) { return {std::max(0.0, 1 - strength), 1 + strength}; }

  // Draws the order (a permutation of the four), then the factors of brightness, contrast,
  // saturation and hue, in this order. A range of the neutral value alone is skipped and not drawn.
  void apply(Image& image, Rng& rng) const {
    const std::vector<std::int64_t> order = rng.permutation(4);
    double factors[4];
    for (int i = 0; i < 4; ++i) {
      if (!neutral(i)) factors[i] = rng.uniform(ranges_[i].low, ranges_[i].high);
    }
    for (const std::int64_t i : order) {
      if (neutral(static_cast<int>(i))) continue;
      switch (i) {
        case 0:
          image.brightness(factors[0]);
          break;
        case 1:
          image.contrast(factors[1]);
          break;
        case 2:
          image.saturation(factors[2]);
          break;
        default:
          image.hue(factors[3]);
          break;
      }
    }
  }

 private:
  bool neutral(int i) const {
    const double value = i == 3 ? 0 : 1;
    return ranges_[i].low == value && ranges_[i].high == value;
  }
  Range ranges_[4];
};

// The jitter of VISSL's colour transforms: 0.8 s for three factors, 0.2 s for the hue.
inline ColorJitter jitter_of_strength(double s) {
  if (!(0.2 * s <= 0.5)) {
    fail(VISSL_E_CONFIG,
         "'strength' must be at most 2.5, because it shifts the hue by up to a "
         "fifth of it and half a turn is the most");
  }
  return ColorJitter(0.8 * s, 0.8 * s, 0.8 * s, 0.2 * s);
}

}  // namespace abi1
}  // namespace vissl
