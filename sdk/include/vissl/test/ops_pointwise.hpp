#pragma once
// Operators of the fake host that work element by element.
#include <vissl/test/engine.hpp>

namespace vissl {
namespace test VISSL_HIDDEN {

template <class F>
Array map(const Array& a, vissl_dtype dtype, F f) {
  Values values = a.values();
  for (double& x : values) x = f(x);
  return Array::make(std::move(values), a.sizes, dtype);
}
template <class F>
Array zip(const Array& a, const Array& b, vissl_dtype dtype, F f) {
  const Shape shape = broadcast(a.sizes, b.sizes);
  Values x = a.expand(shape).values();
  const Values y = b.expand(shape).values();
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = f(x[i], y[i]);
  return Array::make(std::move(x), shape, dtype);
}
inline vissl_dtype floating(vissl_dtype d) {
  return is_floating(d) ? d : VISSL_F32;
}
// The dtype of tensor + Scalar: a Scalar only counts when its category is higher.
inline vissl_dtype with_scalar(vissl_dtype tensor, vissl_dtype scalar) {
  if (is_floating(tensor)) return tensor;
  if (is_floating(scalar)) return VISSL_F32;
  return tensor == VISSL_BOOL ? scalar : tensor;
}
// A 0-dimensional tensor counts like a Scalar.
inline vissl_dtype result_type(const Array& a, const Array& b) {
  if (a.dim() == 0 && b.dim() != 0) return result_type(b, a);
  if (b.dim() == 0 && a.dim() != 0) {
    const bool higher = (is_floating(b.dtype) && !is_floating(a.dtype)) ||
                        (a.dtype == VISSL_BOOL && b.dtype != VISSL_BOOL);
    return higher ? b.dtype : a.dtype;
  }
  return promote(a.dtype, b.dtype);
}
inline double round_half_even(double x) {
  return std::nearbyint(x);
}

namespace detail {

using Binary = double (*)(double, double);

// name.Tensor, name.Scalar and their in-place forms, with `alpha` for add and sub.
inline void add_arithmetic(OpTable& ops, const std::string& name, Binary f, bool always_floating) {
  const auto tensor = [f, always_floating](OpCall& c) {
    const double alpha = c.number(2, 1.0);
    vissl_dtype dtype = result_type(c.tensor(0), c.tensor(1));
    if (always_floating) dtype = floating(dtype);
    return zip(c.tensor(0), c.tensor(1), dtype,
               [&](double x, double y) { return f(x, alpha * y); });
  };
  const auto scalar = [f, always_floating](OpCall& c) {
    const double y = c.number(1) * c.number(2, 1.0);
    vissl_dtype dtype = with_scalar(c.tensor(0).dtype, c.scalar_dtype(1));
    if (always_floating) dtype = floating(dtype);
    return map(c.tensor(0), dtype, [&](double x) { return f(x, y); });
  };
  ops[name + ".Tensor"] = [tensor](OpCall& c) { c.give(tensor(c)); };
  ops[name + ".Scalar"] = [scalar](OpCall& c) { c.give(scalar(c)); };
  ops[name + "_.Tensor"] = [tensor](OpCall& c) {
    c.tensor(0).assign(tensor(c).expand(c.tensor(0).sizes).values());
    c.give(c.shared(0));
  };
  ops[name + "_.Scalar"] = [scalar](OpCall& c) {
    c.tensor(0).assign(scalar(c).values());
    c.give(c.shared(0));
  };
}
inline void add_comparison(OpTable& ops, const std::string& name, bool (*f)(double, double)) {
  ops[name + ".Tensor"] = [f](OpCall& c) {
    c.give(zip(c.tensor(0), c.tensor(1), VISSL_BOOL,
               [f](double x, double y) { return truth(f(x, y)); }));
  };
  ops[name + ".Scalar"] = [f](OpCall& c) {
    const double y = c.number(1);
    c.give(map(c.tensor(0), VISSL_BOOL, [&](double x) { return truth(f(x, y)); }));
  };
}
inline void add_unary(OpTable& ops, const std::string& name, double (*f)(double),
                      bool keep_integers) {
  ops[name] = [f, keep_integers](OpCall& c) {
    const Array& a = c.tensor(0);
    c.give(map(a, keep_integers ? a.dtype : floating(a.dtype), f));
  };
  ops[name + "_"] = [f](OpCall& c) {
    c.tensor(0).assign(map(c.tensor(0), VISSL_F64, f).values());
    c.give(c.shared(0));
  };
}

inline double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

// Winitzki's approximation, then Newton's method on erf.
inline double erfinv(double y) {
  if (std::abs(y) >= 1) return std::abs(y) > 1 ? std::nan("") : std::copysign(INFINITY, y);
  constexpr double kPi = 3.14159265358979323846;
  const double log = std::log1p(-y * y), a = 2 / (kPi * 0.147) + log / 2;
  double x = std::copysign(std::sqrt(std::sqrt(a * a - log / 0.147) - a), y);
  for (int i = 0; i < 4; ++i) x -= (std::erf(x) - y) * std::sqrt(kPi) / 2 * std::exp(x * x);
  return x;
}

}  // namespace detail

inline void add_pointwise_ops(OpTable& ops) {
  using namespace detail;
  add_arithmetic(
      ops, "aten::add", [](double x, double y) { return x + y; }, false);
  add_arithmetic(
      ops, "aten::sub", [](double x, double y) { return x - y; }, false);
  add_arithmetic(
      ops, "aten::mul", [](double x, double y) { return x * y; }, false);
  add_arithmetic(
      ops, "aten::div", [](double x, double y) { return x / y; }, true);
  ops["aten::rsub.Scalar"] = [](OpCall& c) {
    const double y = c.number(1), alpha = c.number(2, 1.0);
    c.give(map(c.tensor(0), with_scalar(c.tensor(0).dtype, c.scalar_dtype(1)),
               [&](double x) { return y - alpha * x; }));
  };
  add_comparison(ops, "aten::eq", [](double x, double y) { return x == y; });
  add_comparison(ops, "aten::ne", [](double x, double y) { return x != y; });
  add_comparison(ops, "aten::lt", [](double x, double y) { return x < y; });
  add_comparison(ops, "aten::le", [](double x, double y) { return x <= y; });
  add_comparison(ops, "aten::gt", [](double x, double y) { return x > y; });
  add_comparison(ops, "aten::ge", [](double x, double y) { return x >= y; });

  add_unary(
      ops, "aten::neg", [](double x) { return -x; }, true);
  add_unary(
      ops, "aten::abs", [](double x) { return std::abs(x); }, true);
  add_unary(
      ops, "aten::floor", [](double x) { return std::floor(x); }, true);
  add_unary(
      ops, "aten::ceil", [](double x) { return std::ceil(x); }, true);
  add_unary(
      ops, "aten::round", [](double x) { return round_half_even(x); }, true);
  add_unary(
      ops, "aten::sign", [](double x) { return truth(x > 0) - truth(x < 0); }, true);
  add_unary(
      ops, "aten::relu", [](double x) { return x > 0 ? x : 0 * x; }, true);
  add_unary(
      ops, "aten::exp", [](double x) { return std::exp(x); }, false);
  add_unary(
      ops, "aten::log", [](double x) { return std::log(x); }, false);
  add_unary(
      ops, "aten::log1p", [](double x) { return std::log1p(x); }, false);
  add_unary(
      ops, "aten::sqrt", [](double x) { return std::sqrt(x); }, false);
  add_unary(
      ops, "aten::rsqrt", [](double x) { return 1 / std::sqrt(x); }, false);
  add_unary(
      ops, "aten::reciprocal", [](double x) { return 1 / x; }, false);
  add_unary(
      ops, "aten::sigmoid", [](double x) { return detail::sigmoid(x); }, false);
  add_unary(
      ops, "aten::tanh", [](double x) { return std::tanh(x); }, false);
  add_unary(
      ops, "aten::erf", [](double x) { return std::erf(x); }, false);
  add_unary(ops, "aten::erfinv", detail::erfinv, false);
  add_unary(
      ops, "aten::sin", [](double x) { return std::sin(x); }, false);
  add_unary(
      ops, "aten::cos", [](double x) { return std::cos(x); }, false);
  add_unary(
      ops, "aten::silu", [](double x) { return x * detail::sigmoid(x); }, false);
  add_unary(
      ops, "aten::hardswish", [](double x) { return x * std::min(std::max(x + 3, 0.0), 6.0) / 6; },
      false);
  ops["aten::gelu"] = [](OpCall& c) {
    const bool tanh = c.text(1, "none") == "tanh";
    c.give(map(c.tensor(0), c.tensor(0).dtype, [&](double x) {
      const double inner = std::sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x);
      return 0.5 * x * (1 + (tanh ? std::tanh(inner) : std::erf(x / std::sqrt(2.0))));
    }));
  };
  const auto predicate = [](bool (*f)(double)) {
    return [f](OpCall& c) {
      c.give(map(c.tensor(0), VISSL_BOOL, [f](double x) { return truth(f(x)); }));
    };
  };
  ops["aten::isfinite"] = predicate([](double x) { return std::isfinite(x); });
  ops["aten::isnan"] = predicate([](double x) { return std::isnan(x); });
  ops["aten::isinf"] = predicate([](double x) { return std::isinf(x); });
  ops["aten::logical_not"] = predicate([](double x) { return x == 0; });
  ops["aten::logical_and"] = [](OpCall& c) {
    c.give(zip(c.tensor(0), c.tensor(1), VISSL_BOOL,
               [](double x, double y) { return truth(x != 0 && y != 0); }));
  };
  ops["aten::logical_or"] = [](OpCall& c) {
    c.give(zip(c.tensor(0), c.tensor(1), VISSL_BOOL,
               [](double x, double y) { return truth(x != 0 || y != 0); }));
  };
  ops["aten::pow.Tensor_Scalar"] = [](OpCall& c) {
    const double y = c.number(1);
    c.give(map(c.tensor(0), with_scalar(c.tensor(0).dtype, c.scalar_dtype(1)),
               [&](double x) { return std::pow(x, y); }));
  };
  ops["aten::pow.Tensor_Tensor"] = [](OpCall& c) {
    c.give(zip(c.tensor(0), c.tensor(1), result_type(c.tensor(0), c.tensor(1)),
               [](double x, double y) { return std::pow(x, y); }));
  };
  // NaN stays NaN, as in torch.
  const auto clamp = [](OpCall& c, std::size_t low, std::size_t high) {
    const double min = c.number(low, -INFINITY);
    const double max = high < 9 ? c.number(high, INFINITY) : INFINITY;
    c.give(map(c.tensor(0), c.tensor(0).dtype, [&](double x) {
      return x < min ? min : x > max ? max : x;
    }));
  };
  ops["aten::clamp"] = [clamp](OpCall& c) { clamp(c, 1, 2); };
  ops["aten::clamp_min"] = [clamp](OpCall& c) { clamp(c, 1, 9); };
  ops["aten::clamp_max"] = [](OpCall& c) {
    const double max = c.number(1);
    c.give(map(c.tensor(0), c.tensor(0).dtype, [&](double x) { return x > max ? max : x; }));
  };
  ops["aten::maximum"] = [](OpCall& c) {
    c.give(zip(c.tensor(0), c.tensor(1), result_type(c.tensor(0), c.tensor(1)),
               [](double x, double y) { return std::isnan(x) || x > y ? x : y; }));
  };
  ops["aten::minimum"] = [](OpCall& c) {
    c.give(zip(c.tensor(0), c.tensor(1), result_type(c.tensor(0), c.tensor(1)),
               [](double x, double y) { return std::isnan(x) || x < y ? x : y; }));
  };
  const auto lerp = [](OpCall& c) {
    const double w = c.number(2);
    return zip(c.tensor(0), c.tensor(1), c.tensor(0).dtype, [&](double x, double y) {
      return w < 0.5 ? x + w * (y - x) : y - (y - x) * (1 - w);
    });
  };
  ops["aten::lerp.Scalar"] = [lerp](OpCall& c) { c.give(lerp(c)); };
  ops["aten::lerp_.Scalar"] = [lerp](OpCall& c) {
    c.tensor(0).assign(lerp(c).values());
    c.give(c.shared(0));
  };
  const auto with_product = [](OpCall& c, detail::Binary f) {
    const double value = c.number(3, 1.0);
    const Array product = zip(c.tensor(1), c.tensor(2), VISSL_F64, f);
    const Array sum =
        zip(c.tensor(0), product, VISSL_F64, [&](double x, double y) { return x + value * y; });
    c.tensor(0).assign(sum.values());
    c.give(c.shared(0));
  };
  ops["aten::addcmul_"] = [with_product](OpCall& c) {
    with_product(c, [](double x, double y) { return x * y; });
  };
  ops["aten::addcdiv_"] = [with_product](OpCall& c) {
    with_product(c, [](double x, double y) { return x / y; });
  };
  ops["aten::where.self"] = [](OpCall& c) {
    const Shape shape =
        broadcast(broadcast(c.tensor(0).sizes, c.tensor(1).sizes), c.tensor(2).sizes);
    const Values mask = c.tensor(0).expand(shape).values(), y = c.tensor(2).expand(shape).values();
    Values x = c.tensor(1).expand(shape).values();
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = mask[i] != 0 ? x[i] : y[i];
    c.give(Array::make(std::move(x), shape, result_type(c.tensor(1), c.tensor(2))));
  };
  const auto masked_fill = [](OpCall& c) {
    const double value = c.number(2);
    return zip(c.tensor(0), c.tensor(1), c.tensor(0).dtype,
               [&](double x, double mask) { return mask != 0 ? value : x; });
  };
  ops["aten::masked_fill.Scalar"] = [masked_fill](OpCall& c) { c.give(masked_fill(c)); };
  ops["aten::masked_fill_.Scalar"] = [masked_fill](OpCall& c) {
    c.tensor(0).assign(masked_fill(c).values());
    c.give(c.shared(0));
  };
  ops["aten::nan_to_num"] = [](OpCall& c) {
    const double nan = c.number(1, 0.0), high = c.number(2, 3.4028234663852886e38);
    const double low = c.number(3, -3.4028234663852886e38);
    c.give(map(c.tensor(0), c.tensor(0).dtype, [&](double x) {
      return std::isnan(x) ? nan : !std::isinf(x) ? x : x > 0 ? high : low;
    }));
  };
}

}  // namespace test
}  // namespace vissl
