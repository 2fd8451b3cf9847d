#pragma once
// Operators of the fake host over lists of tensors, as optimizers use them, and torch's fused
// optimizer steps.
#include <vissl/test/ops_pointwise.hpp>

namespace vissl {
namespace test VISSL_HIDDEN {

namespace detail {

// In place: list[i] = f(i).
template <class F>
void replace_each(OpCall& c, F f) {
  const auto list = c.tensors(0);
  for (std::size_t i = 0; i < list.size(); ++i) list[i]->assign(f(i).values());
}
inline std::function<void(OpCall&)> pairwise(Binary f) {
  return [f](OpCall& c) {
    const double alpha = c.number(2, 1.0);
    const auto a = c.tensors(0), b = c.tensors(1);
    replace_each(c, [&](std::size_t i) {
      return zip(*a[i], *b[i], VISSL_F64, [&](double x, double y) { return f(x, alpha * y); });
    });
  };
}
inline std::function<void(OpCall&)> by_scalar(Binary f, bool list) {
  return [f, list](OpCall& c) {
    const auto a = c.tensors(0);
    const Values many = list ? c.numbers(1) : Values(a.size(), c.number(1));
    replace_each(c, [&](std::size_t i) {
      return map(*a[i], VISSL_F64, [&](double x) { return f(x, many[i]); });
    });
  };
}
// self += value * f(tensor1, tensor2)
inline std::function<void(OpCall&)> with_product(Binary f, bool list) {
  return [f, list](OpCall& c) {
    const auto a = c.tensors(0), x = c.tensors(1), y = c.tensors(2);
    const Values many = list ? c.numbers(3) : Values(a.size(), c.number(3, 1.0));
    replace_each(c, [&](std::size_t i) {
      return zip(*a[i], zip(*x[i], *y[i], VISSL_F64, f), VISSL_F64,
                 [&](double s, double product) { return s + many[i] * product; });
    });
  };
}

inline void fused_sgd(OpCall& c) {
  const auto params = c.tensors(0), grads = c.tensors(1), buffers = c.tensors(2);
  const double decay = c.number(3), momentum = c.number(4), lr = c.number(5),
               dampening = c.number(6);
  const bool nesterov = c.flag(7, false), maximize = c.flag(8, false), first = c.flag(9, false);
  for (std::size_t i = 0; i < params.size(); ++i) {
    Values p = params[i]->values(), g = grads[i]->values();
    Values buffer = buffers.empty() ? Values() : buffers[i]->values();
    for (std::size_t k = 0; k < p.size(); ++k) {
      double step = (maximize ? -g[k] : g[k]) + decay * p[k];
      if (momentum != 0) {
        buffer[k] = first ? step : momentum * buffer[k] + (1 - dampening) * step;
        step = nesterov ? step + momentum * buffer[k] : buffer[k];
      }
      p[k] -= lr * step;
    }
    params[i]->assign(p);
    if (momentum != 0) buffers[i]->assign(buffer);
  }
}

// Adam, or AdamW when `decoupled`. The step counters have been advanced already.
inline void fused_adam(OpCall& c, bool decoupled) {
  const auto params = c.tensors(0), grads = c.tensors(1), means = c.tensors(2),
             squares = c.tensors(3);
  const auto max_squares = c.tensors(4), steps = c.tensors(5);
  const double lr = c.number(6), beta1 = c.number(7), beta2 = c.number(8), decay = c.number(9);
  const double eps = c.number(10);
  const bool amsgrad = c.flag(11, false), maximize = c.flag(12, false);
  for (std::size_t i = 0; i < params.size(); ++i) {
    Values p = params[i]->values(), g = grads[i]->values(), m = means[i]->values(),
           v = squares[i]->values();
    Values largest = amsgrad ? max_squares[i]->values() : Values();
    const double t = steps[i]->values().at(0);
    for (std::size_t k = 0; k < p.size(); ++k) {
      double grad = maximize ? -g[k] : g[k];
      if (decoupled) p[k] -= lr * decay * p[k];
      if (!decoupled) grad += decay * p[k];
      m[k] = beta1 * m[k] + (1 - beta1) * grad;
      v[k] = beta2 * v[k] + (1 - beta2) * grad * grad;
      double square = v[k];
      if (amsgrad) square = largest[k] = std::max(largest[k], v[k]);
      const double denominator = std::sqrt(square) / std::sqrt(1 - std::pow(beta2, t)) + eps;
      p[k] -= lr / (1 - std::pow(beta1, t)) * m[k] / denominator;
    }
    params[i]->assign(p);
    means[i]->assign(m);
    squares[i]->assign(v);
    if (amsgrad) max_squares[i]->assign(largest);
  }
}

}  // namespace detail

inline void add_foreach_ops(OpTable& ops) {
  using namespace detail;
  const Binary plus = [](double x, double y) { return x + y; };
  const Binary times = [](double x, double y) { return x * y; };
  const Binary over = [](double x, double y) { return x / y; };
  ops["aten::_foreach_add_.List"] = pairwise(plus);
  ops["aten::_foreach_mul_.List"] = pairwise(times);
  ops["aten::_foreach_div_.List"] = pairwise(over);
  ops["aten::_foreach_add_.Scalar"] = by_scalar(plus, false);
  ops["aten::_foreach_mul_.Scalar"] = by_scalar(times, false);
  ops["aten::_foreach_add_.ScalarList"] = by_scalar(plus, true);
  ops["aten::_foreach_mul_.ScalarList"] = by_scalar(times, true);
  ops["aten::_foreach_div_.ScalarList"] = by_scalar(over, true);
  ops["aten::_foreach_addcmul_.Scalar"] = with_product(times, false);
  ops["aten::_foreach_addcdiv_.Scalar"] = with_product(over, false);
  ops["aten::_foreach_addcdiv_.ScalarList"] = with_product(over, true);
  ops["aten::_foreach_add.List"] = [](OpCall& c) {
    const double alpha = c.number(2, 1.0);
    const auto a = c.tensors(0), b = c.tensors(1);
    std::vector<Array> out;
    for (std::size_t i = 0; i < a.size(); ++i) {
      out.push_back(zip(*a[i], *b[i], result_type(*a[i], *b[i]),
                        [&](double x, double y) { return x + alpha * y; }));
    }
    c.give_list(std::move(out));
  };
  const auto mapped = [](OpCall& c, auto f) {
    std::vector<Array> out;
    for (const auto& a : c.tensors(0)) out.push_back(map(*a, a->dtype, f));
    c.give_list(std::move(out));
  };
  ops["aten::_foreach_mul.Scalar"] = [mapped](OpCall& c) {
    const double y = c.number(1);
    mapped(c, [y](double x) { return x * y; });
  };
  ops["aten::_foreach_sqrt"] = [mapped](OpCall& c) {
    mapped(c, [](double x) { return std::sqrt(x); });
  };
  ops["aten::_foreach_norm.Scalar"] = [](OpCall& c) {
    const double p = c.number(1, 2.0);
    std::vector<Array> out;
    for (const auto& a : c.tensors(0)) {
      double total = 0;
      for (const double x : a->values()) {
        total = std::isinf(p) ? std::max(total, std::abs(x)) : total + std::pow(std::abs(x), p);
      }
      out.push_back(Array::scalar(std::isinf(p) ? total : std::pow(total, 1 / p), a->dtype));
    }
    c.give_list(std::move(out));
  };
  ops["aten::_foreach_lerp_.Scalar"] = [](OpCall& c) {
    const double w = c.number(2);
    const auto a = c.tensors(0), b = c.tensors(1);
    replace_each(c, [&](std::size_t i) {
      return zip(*a[i], *b[i], VISSL_F64, [&](double x, double y) {
        return w < 0.5 ? x + w * (y - x) : y - (y - x) * (1 - w);
      });
    });
  };
  ops["aten::_foreach_copy_"] = pairwise([](double, double y) { return y; });
  ops["aten::_foreach_zero_"] = [](OpCall& c) {
    replace_each(
        c, [&](std::size_t i) { return Array::filled(c.tensors(0)[i]->sizes, 0, VISSL_F64); });
  };
  ops["aten::_fused_sgd_"] = fused_sgd;
  ops["aten::_fused_adam_"] = [](OpCall& c) { fused_adam(c, false); };
  ops["aten::_fused_adamw_"] = [](OpCall& c) { fused_adam(c, true); };
}

}  // namespace test
}  // namespace vissl
