#pragma once
// Operators of the fake host that change the resolution of (N, C, H, W) tensors, or pad them;
// torch's arithmetic.
#include <vissl/test/ops_linear.hpp>

namespace vissl {
namespace test VISSL_HIDDEN {

namespace detail {

// Where output positions of one axis lie in the input (torch's area_pixel_compute_source_index).
struct Axis {
  std::int64_t in, out;
  double scale;
  bool align;
  Axis(std::int64_t in_size, std::int64_t out_size, double factor, bool align_corners)
      : in(in_size), out(out_size), align(align_corners) {
    const double n = static_cast<double>(in_size), m = static_cast<double>(out_size);
    if (align)
      scale = out > 1 ? (n - 1) / (m - 1) : 0;
    else
      scale = factor > 0 ? 1 / factor : n / m;
  }
  double at(std::int64_t position) const {
    const double x = static_cast<double>(position);
    return align ? scale * x : scale * (x + 0.5) - 0.5;
  }
};

using Taps = std::vector<std::pair<std::int64_t, double>>;  // positions and weights

inline Taps nearest_taps(const Axis& axis, std::int64_t position) {
  const auto at = static_cast<std::int64_t>(std::floor(static_cast<double>(position) * axis.scale));
  return {{std::min(at, axis.in - 1), 1.0}};
}
inline Taps linear_taps(const Axis& axis, std::int64_t position) {
  const double x = std::max(axis.at(position), 0.0);
  const std::int64_t left = std::min(static_cast<std::int64_t>(x), axis.in - 1);
  const double part = x - static_cast<double>(left);
  return {{left, 1 - part}, {std::min(left + 1, axis.in - 1), part}};
}
inline Taps cubic_taps(const Axis& axis, std::int64_t position) {
  constexpr double kA = -0.75;
  const double x = axis.at(position), left = std::floor(x), t = x - left;
  const auto near = [&](double d) { return ((kA + 2) * d - (kA + 3)) * d * d + 1; };
  const auto far = [&](double d) { return ((kA * d - 5 * kA) * d + 8 * kA) * d - 4 * kA; };
  const double weights[] = {far(t + 1), near(t), near(1 - t), far(2 - t)};
  Taps taps;
  for (std::int64_t k = 0; k < 4; ++k) {
    const std::int64_t at = static_cast<std::int64_t>(left) - 1 + k;
    taps.emplace_back(std::min(std::max<std::int64_t>(at, 0), axis.in - 1), weights[k]);
  }
  return taps;
}

// upsample_*.vec: exactly one of sizes and factors is given.
inline Array upsample(const Array& a, const Shape& sizes, const Values& factors, bool align,
                      Taps (*taps)(const Axis&, std::int64_t)) {
  if (a.dim() != 4) fail("upsampling of " + to_text(a.sizes) + ", which is not (N, C, H, W)");
  if (sizes.empty() == factors.empty()) fail("give either output_size or scale_factors");
  Shape shape = a.sizes;
  std::vector<Axis> axes;
  for (std::size_t d = 0; d < 2; ++d) {
    const std::int64_t in = a.sizes[2 + d];
    const double factor = factors.empty() ? 0 : factors.at(d);
    shape[2 + d] = sizes.empty() ? static_cast<std::int64_t>(static_cast<double>(in) * factor)
                                 : of_pair(sizes, d, 1);
    axes.emplace_back(in, shape[2 + d], factor, align);
  }
  const Values from = a.values();
  Values out;
  const std::int64_t h = a.sizes[2], w = a.sizes[3];
  for (std::int64_t plane = 0; plane < a.sizes[0] * a.sizes[1]; ++plane) {
    for (std::int64_t y = 0; y < shape[2]; ++y) {
      for (std::int64_t x = 0; x < shape[3]; ++x) {
        double total = 0;
        for (const auto& [i, of_row] : taps(axes[0], y)) {
          for (const auto& [j, of_column] : taps(axes[1], x))
            total += of_row * of_column * from[static_cast<std::size_t>((plane * h + i) * w + j)];
        }
        out.push_back(total);
      }
    }
  }
  return Array::make(std::move(out), shape, a.dtype);
}

// The input position that padding shows at `at`, -1 = the constant.
inline std::int64_t padded_from(std::int64_t at, std::int64_t n, const std::string& mode) {
  if (at >= 0 && at < n) return at;
  if (mode == "constant") return -1;
  if (mode == "replicate") return at < 0 ? 0 : n - 1;
  if (mode == "reflect") return at < 0 ? -at : 2 * (n - 1) - at;
  if (mode == "circular") return (at % n + n) % n;
  fail("there is no padding mode '" + mode + "'");
}
// `amounts`: (before, after) of the last dimension, then of the one before it, ….
inline Array pad(const Array& a, const Shape& amounts, const std::string& mode, double value) {
  if (amounts.size() % 2 != 0 || amounts.size() / 2 > a.dim())
    fail("padding " + to_text(amounts) + " does not fit " + to_text(a.sizes));
  Shape shape = a.sizes, before(a.dim(), 0);
  for (std::size_t i = 0; i < amounts.size() / 2; ++i) {
    const std::size_t d = a.dim() - 1 - i;
    before[d] = amounts[2 * i];
    shape[d] += amounts[2 * i] + amounts[2 * i + 1];
  }
  const Values from = a.values();
  const Shape in_strides = contiguous_strides(a.sizes), out_strides = contiguous_strides(shape);
  Values out(static_cast<std::size_t>(count_of(shape)), value);
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::int64_t place = 0;
    bool inside = true;
    for (std::size_t d = 0; d < shape.size() && inside; ++d) {
      const std::int64_t at = static_cast<std::int64_t>(i) / out_strides[d] % shape[d];
      const std::int64_t source = padded_from(at - before[d], a.sizes[d], mode);
      inside = source >= 0;
      place += source * in_strides[d];
    }
    if (inside) out[i] = from[static_cast<std::size_t>(place)];
  }
  return Array::make(std::move(out), shape, a.dtype);
}

}  // namespace detail

inline void add_resample_ops(OpTable& ops) {
  using namespace detail;
  ops["aten::upsample_nearest2d.vec"] = [](OpCall& c) {
    c.give(upsample(c.tensor(0), c.ints(1), c.numbers(2), false, nearest_taps));
  };
  ops["aten::upsample_bilinear2d.vec"] = [](OpCall& c) {
    c.give(upsample(c.tensor(0), c.ints(1), c.numbers(3), c.flag(2, false), linear_taps));
  };
  ops["aten::upsample_bicubic2d.vec"] = [](OpCall& c) {
    c.give(upsample(c.tensor(0), c.ints(1), c.numbers(3), c.flag(2, false), cubic_taps));
  };
  ops["aten::pad"] = [](OpCall& c) {
    c.give(detail::pad(c.tensor(0), c.ints(1), c.text(2, "constant"), c.number(3, 0.0)));
  };
  // Values and their positions within the plane.
  ops["aten::adaptive_max_pool2d"] = [](OpCall& c) {
    const Array& a = c.tensor(0);
    const Values from = a.values();
    Values places(from.size());
    for (std::size_t i = 0; i < places.size(); ++i) places[i] = static_cast<double>(i);
    const Array top = adaptive_pool(
        Array::make(places, a.sizes, VISSL_I64), c.ints(1), [&](const Values& window) {
          return *std::max_element(window.begin(), window.end(), [&](double x, double y) {
            return from[static_cast<std::size_t>(x)] < from[static_cast<std::size_t>(y)];
          });
        });
    Values values, indices;
    for (const double at : top.values()) {
      values.push_back(from[static_cast<std::size_t>(at)]);
      indices.push_back(std::fmod(at, static_cast<double>(a.sizes[a.dim() - 2] * a.sizes.back())));
    }
    c.give(Array::make(std::move(values), top.sizes, a.dtype));
    c.give(Array::make(std::move(indices), top.sizes, VISSL_I64));
  };
}

}  // namespace test
}  // namespace vissl
