#pragma once
// Sizes, filters and crop boxes that several transforms share, with torchvision's rounding and
// draws. Functions that read a config throw Failure (VISSL_E_CONFIG).
#include <vissl/image.hpp>
#include <vissl/params.hpp>
#include <vissl/rng.hpp>
#include <vissl/value.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

struct ImageSize {
  std::int64_t height, width;  // pixels
};

// A parameter that takes one number or a list of them.
inline std::vector<double> one_or_more(const Config& c, std::string_view key) {
  const Config value = c.at(key);
  bool right = value.is_number();
  if (value.is_list()) {
    const std::vector<Config> items = value.list();
    right = std::all_of(items.begin(), items.end(), [](const Config& x) { return x.is_number(); });
  }
  if (!right) fail(VISSL_E_CONFIG, "'" + std::string(key) + "' must be a number or a list of them");
  return value.is_list() ? value.numbers() : std::vector<double>{value.number()};
}

// The same for whole numbers from `least` on.
inline std::vector<std::int64_t> one_or_more_integers(const Config& c, std::string_view key,
                                                      std::int64_t least) {
  const Config value = c.at(key);
  const std::vector<Config> items = value.is_list() ? value.list() : std::vector<Config>{value};
  std::vector<std::int64_t> numbers;
  for (const Config& item : items) {
    if (!item.is_integer() || item.integer() < least) {
      fail(VISSL_E_CONFIG, "'" + std::string(key) + "' must be an integer or a list of integers, " +
                               "each at least " + std::to_string(least));
    }
    numbers.push_back(item.integer());
  }
  return numbers;
}

// s (a square) or [height, width].
inline ImageSize read_size(const Config& c, std::string_view key) {
  const std::vector<std::int64_t> size = one_or_more_integers(c, key, 1);
  if (size.empty() || size.size() > 2) {
    fail(VISSL_E_CONFIG, "'" + std::string(key) + "' must be an integer or [height, width], not " +
                             std::to_string(size.size()) + " numbers");
  }
  return {size.front(), size.back()};
}

// Two numbers, the first not above the second.
struct Range {
  double low, high;
};
inline Range read_range(const std::vector<double>& numbers, const std::string& name) {
  if (numbers.size() != 2) {
    fail(VISSL_E_CONFIG, "'" + name + "' needs two numbers, the least and the greatest, not " +
                             std::to_string(numbers.size()));
  }
  if (!(numbers[0] <= numbers[1])) {
    fail(VISSL_E_CONFIG, "'" + name + "' begins with " + detail::to_toml(numbers[0]) +
                             ", which is above its end, " + detail::to_toml(numbers[1]));
  }
  return {numbers[0], numbers[1]};
}

// The parameter `interpolation`: a name, or Pillow's number as VISSL's configs write it.
inline void declare_interpolation(Params& p) {
  p.any("interpolation", "\"bilinear\"", "The filter, by its name or by Pillow's number of it.")
      .accepts("one of 'nearest', 'bilinear', 'bicubic', 0, 2, 3");
}
inline Interpolation read_interpolation(const Config& c) {
  const Config value = c.at("interpolation");
  const std::string name = value.is_string()    ? value.string()
                           : value.is_integer() ? std::to_string(value.integer())
                                                : std::string();
  if (name == "nearest" || name == "0") return Interpolation::nearest;
  if (name == "bilinear" || name == "2") return Interpolation::bilinear;
  if (name == "bicubic" || name == "3") return Interpolation::bicubic;
  fail(VISSL_E_CONFIG,
       "'interpolation' must be \"nearest\" (0), \"bilinear\" (2) or \"bicubic\" (3)" +
           (name.empty() ? std::string() : ", not " + name));
}

// Python's round(): halves to the even neighbour, in the default rounding mode.
inline std::int64_t round_half_to_even(double x) {
  return static_cast<std::int64_t>(std::nearbyint(x));
}

struct CropBox {
  std::int64_t top, left, height, width;  // pixels, inside the image
};

// torchvision's RandomResizedCrop.get_params. Up to ten times: a share of the area, uniform in
// `scale`, then the logarithm of width / height, uniform in that of `ratio`; the first box that
// fits gets a top and a left edge, uniform, drawn in this order. After ten misses the largest
// centred box whose ratio is allowed, without a draw.
inline CropBox random_resized_crop_box(Rng& rng, ImageSize image, Range scale, Range ratio) {
  const auto [height, width] = image;
  const double area = static_cast<double>(height * width);
  const double log_low = vissl_rng_log(ratio.low), log_high = vissl_rng_log(ratio.high);
  for (int i = 0; i < 10; ++i) {
    const double target = area * rng.uniform(scale.low, scale.high);
    const double aspect = vissl_rng_exp(rng.uniform(log_low, log_high));
    const std::int64_t w = round_half_to_even(std::sqrt(target * aspect));
    const std::int64_t h = round_half_to_even(std::sqrt(target / aspect));
    if (w < 1 || w > width || h < 1 || h > height) continue;
    const std::int64_t top = rng.randint(0, height - h + 1);
    const std::int64_t left = rng.randint(0, width - w + 1);
    return {top, left, h, w};
  }
  const double found = static_cast<double>(width) / static_cast<double>(height);
  std::int64_t h = height, w = width;
  if (found < ratio.low) h = round_half_to_even(static_cast<double>(w) / ratio.low);
  if (found > ratio.high) w = round_half_to_even(static_cast<double>(h) * ratio.high);
  h = std::max<std::int64_t>(h, 1);
  w = std::max<std::int64_t>(w, 1);
  return {(height - h) / 2, (width - w) / 2, h, w};
}

inline void resized_crop(Image& image, const CropBox& box, ImageSize size,
                         Interpolation interpolation = Interpolation::bilinear) {
  image.resized_crop(box.top, box.left, box.height, box.width, size.height, size.width,
                     interpolation);
}

}  // namespace abi1
}  // namespace vissl
