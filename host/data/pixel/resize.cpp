#include "host/data/pixel/resize.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <vector>

#include "host/data/pixel/transpose.hpp"
#include "host/data/pixel/vector_clones.hpp"

VISSL_PIXEL_STRICT_FLOATS

namespace vissl::host::pixel {
namespace {

constexpr int kWeightBits = 22;  // 8 bits of a pixel and 2 for overshoot are left of 32
constexpr int kLanes = 64;       // rows that one horizontal strip works on side by side

double box_weight(double x) {
  return x > -0.5 && x <= 0.5 ? 1.0 : 0.0;
}

double bilinear_weight(double x) {
  x = std::fabs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

double hamming_weight(double x) {
  x = std::fabs(x);
  if (x == 0.0) return 1.0;
  if (x >= 1.0) return 0.0;
  x *= std::numbers::pi;
  // The window's two constants are single precision in Pillow too.
  return std::sin(x) / x * (static_cast<double>(0.54f) + static_cast<double>(0.46f) * std::cos(x));
}

double bicubic_weight(double x) {
  constexpr double a = -0.5;
  x = std::fabs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

double sinc(double x) {
  if (x == 0.0) return 1.0;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

double lanczos_weight(double x) {
  return -3.0 <= x && x < 3.0 ? sinc(x) * sinc(x / 3) : 0.0;
}

struct Filter {
  double (*weight)(double);
  double support;
};

Filter filter_of(Interpolation interpolation) {
  switch (interpolation) {
    case Interpolation::box:
      return {box_weight, 0.5};
    case Interpolation::hamming:
      return {hamming_weight, 1.0};
    case Interpolation::bicubic:
      return {bicubic_weight, 2.0};
    case Interpolation::lanczos:
      return {lanczos_weight, 3.0};
    case Interpolation::nearest:
    case Interpolation::bilinear:
      break;
  }
  return {bilinear_weight, 1.0};
}

// Which inputs make each output, and how much of each.
struct Taps {
  std::vector<int> first, count;      // per output
  std::vector<std::int32_t> weights;  // [output * size + tap], 22-bit fixed point
  int size = 0;

  int begin() const { return first.front(); }
  int end() const { return first.back() + count.back(); }
};

Taps make_taps(int in_size, float in0, float in1, int out_size, const Filter& filter) {
  const double scale = static_cast<double>(in1 - in0) / out_size;
  const double filter_scale = std::max(scale, 1.0);
  const double support = filter.support * filter_scale;
  const double inverse = 1.0 / filter_scale;
  Taps taps;
  taps.size = static_cast<int>(std::ceil(support)) * 2 + 1;
  taps.first.resize(static_cast<std::size_t>(out_size));
  taps.count.resize(static_cast<std::size_t>(out_size));
  taps.weights.assign(static_cast<std::size_t>(out_size) * static_cast<std::size_t>(taps.size), 0);
  std::vector<double> exact(static_cast<std::size_t>(taps.size));
  for (int out = 0; out < out_size; ++out) {
    const double center = static_cast<double>(in0) + (out + 0.5) * scale;
    const int begin = std::max(static_cast<int>(center - support + 0.5), 0);
    const int count = std::min(static_cast<int>(center + support + 0.5), in_size) - begin;
    double sum = 0.0;
    for (int i = 0; i < count; ++i) {
      const double w = filter.weight((i + begin - center + 0.5) * inverse);
      exact[static_cast<std::size_t>(i)] = w;
      sum += w;
    }
    std::int32_t* weights = taps.weights.data() + std::ptrdiff_t{out} * taps.size;
    for (int i = 0; i < count; ++i) {
      double w = exact[static_cast<std::size_t>(i)];
      if (sum != 0.0) w /= sum;
      weights[i] = static_cast<std::int32_t>((w < 0 ? -0.5 : 0.5) + w * (1 << kWeightBits));
    }
    taps.first[static_cast<std::size_t>(out)] = begin;
    taps.count[static_cast<std::size_t>(out)] = count;
  }
  return taps;
}

// out[i] = clip8(round(sum over j of weights[j] * in[j * step + i])). The number of taps is a
// constant so that the sums stay in registers.
template <int kTaps>
[[gnu::always_inline]] inline void weigh_constant(const std::uint8_t* __restrict in,
                                                  std::ptrdiff_t step,
                                                  const std::int32_t* __restrict weights,
                                                  std::uint8_t* __restrict out, std::ptrdiff_t n) {
  std::int32_t w[kTaps];
  for (int j = 0; j < kTaps; ++j) w[j] = weights[j];
  for (std::ptrdiff_t i = 0; i < n; ++i) {
    std::int32_t sum = 1 << (kWeightBits - 1);
#pragma GCC unroll 8
    for (int j = 0; j < kTaps; ++j) sum += in[j * step + i] * w[j];
    out[i] = static_cast<std::uint8_t>(std::min(std::max(sum >> kWeightBits, 0), 255));
  }
}

// The same for any number of taps, in blocks whose sums stay in the first cache.
[[gnu::always_inline]] inline void weigh_any(const std::uint8_t* __restrict in, std::ptrdiff_t step,
                                             const std::int32_t* __restrict weights, int taps,
                                             std::uint8_t* __restrict out, std::ptrdiff_t n) {
  std::int32_t sums[kLanes];
  for (std::ptrdiff_t start = 0; start < n; start += kLanes) {
    const std::ptrdiff_t count = std::min<std::ptrdiff_t>(kLanes, n - start);
    for (std::int32_t& sum : sums) sum = 1 << (kWeightBits - 1);
    for (int j = 0; j < taps; ++j) {
      const std::uint8_t* row = in + j * step + start;
      const std::int32_t w = weights[j];
      for (std::ptrdiff_t i = 0; i < count; ++i) sums[i] += row[i] * w;
    }
    for (std::ptrdiff_t i = 0; i < count; ++i) {
      out[start + i] =
          static_cast<std::uint8_t>(std::min(std::max(sums[i] >> kWeightBits, 0), 255));
    }
  }
}

[[gnu::always_inline]] inline void weigh(const std::uint8_t* in, std::ptrdiff_t step,
                                         const std::int32_t* weights, int taps, std::uint8_t* out,
                                         std::ptrdiff_t n) {
  switch (taps) {
    case 1:
      return weigh_constant<1>(in, step, weights, out, n);
    case 2:
      return weigh_constant<2>(in, step, weights, out, n);
    case 3:
      return weigh_constant<3>(in, step, weights, out, n);
    case 4:
      return weigh_constant<4>(in, step, weights, out, n);
    case 5:
      return weigh_constant<5>(in, step, weights, out, n);
    case 6:
      return weigh_constant<6>(in, step, weights, out, n);
    case 7:
      return weigh_constant<7>(in, step, weights, out, n);
    case 8:
      return weigh_constant<8>(in, step, weights, out, n);
    default:
      return weigh_any(in, step, weights, taps, out, n);
  }
}

// in: transposed columns [taps.begin(), taps.end()), each `channels` rows of kLanes bytes; out: the
// same for the outputs.
VISSL_PIXEL_CLONES
void weigh_columns(const std::uint8_t* in, int channels, const Taps& taps, std::uint8_t* out) {
  const int outputs = static_cast<int>(taps.first.size());
  const int begin = taps.begin();
  for (int x = 0; x < outputs; ++x) {
    const std::int32_t* weights = taps.weights.data() + std::ptrdiff_t{x} * taps.size;
    const int first = (taps.first[static_cast<std::size_t>(x)] - begin) * channels;
    for (int c = 0; c < channels; ++c) {
      weigh(in + std::ptrdiff_t{first + c} * kLanes, std::ptrdiff_t{channels} * kLanes, weights,
            taps.count[static_cast<std::size_t>(x)],
            out + std::ptrdiff_t{x * channels + c} * kLanes, kLanes);
    }
  }
}

// in: the first row that the taps name.
VISSL_PIXEL_CLONES
void weigh_rows(const std::uint8_t* in, std::ptrdiff_t stride, const Taps& taps, Pixels& out) {
  const int begin = taps.begin();
  for (int y = 0; y < out.height(); ++y) {
    const std::size_t at = static_cast<std::size_t>(y);
    weigh(in + (taps.first[at] - begin) * stride, stride,
          taps.weights.data() + std::ptrdiff_t{y} * taps.size, taps.count[at], out.row(y),
          out.row_bytes());
  }
}

// in: the first column that the taps name, of the first of out.height() rows.
void resize_horizontally(const std::uint8_t* in, std::ptrdiff_t stride, const Taps& taps,
                         Pixels& out) {
  const int used = (taps.end() - taps.begin()) * out.channels();
  const int made = static_cast<int>(out.row_bytes());
  Scratch columns(static_cast<std::size_t>(used) * kLanes);
  Scratch scaled(static_cast<std::size_t>(made) * kLanes);
  for (int y = 0; y < out.height(); y += kLanes) {
    const int rows = std::min(kLanes, out.height() - y);
    // The lanes past `rows` are worked on too but never used.
    if (rows < kLanes) std::memset(columns.data(), 0, static_cast<std::size_t>(used) * kLanes);
    transpose_bytes(in + y * stride, stride, rows, used, columns.data(), kLanes);
    weigh_columns(columns.data(), out.channels(), taps, scaled.data());
    transpose_bytes(scaled.data(), kLanes, made, rows, out.row(y), made);
  }
}

Pixels resize_nearest(const View& source, int out_height, int out_width, const Box& box) {
  const double step_x = static_cast<double>(box.right - box.left) / out_width;
  const double step_y = static_cast<double>(box.bottom - box.top) / out_height;
  // Positions are summed up, not multiplied: Pillow's rounding errors are part of the result.
  std::vector<int> columns(static_cast<std::size_t>(out_width));
  double at = static_cast<double>(box.left) + step_x * 0.5;
  for (int& column : columns) {
    column = static_cast<int>(at);
    at += step_x;
  }
  Pixels out(out_width, out_height, source.channels, 0);
  at = static_cast<double>(box.top) + step_y * 0.5;
  const std::size_t pixel = static_cast<std::size_t>(source.channels);
  for (int y = 0; y < out_height; ++y, at += step_y) {
    const int from = static_cast<int>(at);
    if (from >= source.height) continue;
    const std::uint8_t* in = source.row(from);
    std::uint8_t* to = out.row(y);
    for (int column : columns) {
      if (column < source.width) std::memcpy(to, in + column * source.channels, pixel);
      to += source.channels;
    }
  }
  return out;
}

// Which pass comes first decides how the result is rounded. Since release 13 Pillow shrinks the
// columns first where the height loses more than twice what the width does; older releases always
// began with the rows.
bool rows_first(const View& source, int out_height, int out_width) {
  const std::int64_t less_height = std::int64_t{source.height} - out_height;
  const std::int64_t less_width = std::int64_t{source.width} - out_width;
  return less_height <= 0 || less_height <= 2 * less_width;
}

bool whole(float value) {
  return value == std::trunc(value);
}

Pixels resize_box(const View& source, int out_height, int out_width, Interpolation interpolation,
                  const Box& box) {
  if (whole(box.left) && whole(box.top) && box.right - box.left == static_cast<float>(out_width) &&
      box.bottom - box.top == static_cast<float>(out_height)) {
    return Pixels(
        source.crop(static_cast<int>(box.top), static_cast<int>(box.left), out_height, out_width));
  }
  if (interpolation == Interpolation::nearest) {
    return resize_nearest(source, out_height, out_width, box);
  }
  const Filter filter = filter_of(interpolation);
  const bool horizontal =
      out_width != source.width || box.left != 0.0f || box.right != static_cast<float>(out_width);
  const bool vertical = out_height != source.height || box.top != 0.0f ||
                        box.bottom != static_cast<float>(out_height);
  if (!horizontal && !vertical) return Pixels(source);
  const int channels = source.channels;
  const Taps along = make_taps(source.width, box.left, box.right, out_width, filter);
  const Taps down = make_taps(source.height, box.top, box.bottom, out_height, filter);
  const std::ptrdiff_t left = std::ptrdiff_t{along.begin()} * channels;
  Pixels out(out_width, out_height, channels);
  if (!horizontal) {
    weigh_rows(source.row(down.begin()), source.stride, down, out);
  } else if (!vertical) {
    resize_horizontally(source.data + left, source.stride, along, out);
  } else if (rows_first(source, out_height, out_width)) {
    Pixels middle(out_width, down.end() - down.begin(), channels);
    resize_horizontally(source.row(down.begin()) + left, source.stride, along, middle);
    weigh_rows(middle.data(), middle.row_bytes(), down, out);
  } else {
    Pixels middle(along.end() - along.begin(), out_height, channels);
    weigh_rows(source.row(down.begin()) + left, source.stride, down, middle);
    resize_horizontally(middle.data(), middle.row_bytes(), along, out);
  }
  return out;
}

}  // namespace

Pixels resize(const View& source, int out_height, int out_width, Interpolation interpolation) {
  const Box all{0, 0, static_cast<float>(source.width), static_cast<float>(source.height)};
  return resize(source, out_height, out_width, interpolation, all);
}

Pixels resize(const View& source, int out_height, int out_width, Interpolation interpolation,
              const Box& box) {
  if (out_height < 1 || out_width < 1) {
    refuse("an image cannot be resized to nothing", out_width, out_height);
  }
  if (!(box.left >= 0 && box.top >= 0 && box.right <= static_cast<float>(source.width) &&
        box.bottom <= static_cast<float>(source.height) && box.left < box.right &&
        box.top < box.bottom)) {
    refuse("the box of a resize is empty or leaves the image", source.width, source.height);
  }
  return resize_box(source, out_height, out_width, interpolation, box);
}

Pixels resized_crop(const View& source, int top, int left, int height, int width, int out_height,
                    int out_width, Interpolation interpolation) {
  return resize(source.crop(top, left, height, width), out_height, out_width, interpolation);
}

}  // namespace vissl::host::pixel
