#include "host/data/pixel/lut.hpp"

#include <algorithm>
#include <numeric>

#include "host/data/pixel/color.hpp"

namespace vissl::host::pixel {
namespace {

Lut identity() {
  Lut lut;
  std::iota(lut.begin(), lut.end(), std::uint8_t{0});
  return lut;
}

template <typename Map>
Lut make_lut(const Map& map) {
  Lut lut;
  for (int v = 0; v < 256; ++v)
    lut[static_cast<std::size_t>(v)] = static_cast<std::uint8_t>(map(v));
  return lut;
}

void need_gray_or_rgb(const Pixels& image) {
  if (image.channels() != 1 && image.channels() != 3) {
    refuse("colour operations take 1 or 3 channels, not 4", image.width(), image.height());
  }
}

Histogram histogram(const Pixels& image, int channel) {
  Histogram counts{};
  const std::uint8_t* end = image.data() + image.size_bytes();
  for (const std::uint8_t* p = image.data() + channel; p < end; p += image.channels()) ++counts[*p];
  return counts;
}

Lut stretch(const Histogram& counts) {
  int low = 0, high = 255;
  while (low < 255 && counts[static_cast<std::size_t>(low)] == 0) ++low;
  while (high > 0 && counts[static_cast<std::size_t>(high)] == 0) --high;
  if (high <= low) return identity();
  const double scale = 255.0 / (high - low);
  const double offset = -low * scale;
  return make_lut([&](int v) { return std::clamp(static_cast<int>(v * scale + offset), 0, 255); });
}

Lut flatten(const Histogram& counts) {
  const auto is_used = [](std::int64_t count) { return count != 0; };
  const std::int64_t total = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  const auto last = std::find_if(counts.rbegin(), counts.rend(), is_used);
  const std::int64_t step = (total - *last) / 255;
  if (std::count_if(counts.begin(), counts.end(), is_used) <= 1 || step == 0) return identity();
  std::int64_t before = step / 2;
  return make_lut([&](int v) {
    const std::int64_t level = before / step;
    before += counts[static_cast<std::size_t>(v)];
    return std::min<std::int64_t>(level, 255);
  });
}

void map_channels(Pixels& image, Lut (*make)(const Histogram&)) {
  need_gray_or_rgb(image);
  Lut luts[3];
  for (int c = 0; c < image.channels(); ++c) luts[c] = make(histogram(image, c));
  apply_luts(image, luts);
}

}  // namespace

void apply_lut(Pixels& image, const Lut& lut) {
  std::uint8_t* p = image.data();
  std::uint8_t* end = p + image.size_bytes();
  for (; p < end; ++p) *p = lut[*p];
}

void apply_luts(Pixels& image, const Lut* luts) {
  const int channels = image.channels();
  std::uint8_t* end = image.data() + image.size_bytes();
  for (std::uint8_t* p = image.data(); p < end; p += channels) {
    for (int c = 0; c < channels; ++c) p[c] = luts[c][p[c]];
  }
}

void invert(Pixels& image) {
  need_gray_or_rgb(image);
  apply_lut(image, make_lut([](int v) { return 255 - v; }));
}

void posterize(Pixels& image, int bits) {
  need_gray_or_rgb(image);
  if (bits < 1 || bits > 8) {
    refuse("posterize keeps 1 to 8 bits per channel", image.width(), image.height());
  }
  const int mask = ~((1 << (8 - bits)) - 1);
  apply_lut(image, make_lut([mask](int v) { return v & mask; }));
}

void solarize(Pixels& image, double threshold) {
  need_gray_or_rgb(image);
  apply_lut(image, make_lut([threshold](int v) { return v < threshold ? v : 255 - v; }));
}

void autocontrast(Pixels& image) {
  map_channels(image, stretch);
}

void equalize(Pixels& image) {
  map_channels(image, flatten);
}

}  // namespace vissl::host::pixel
