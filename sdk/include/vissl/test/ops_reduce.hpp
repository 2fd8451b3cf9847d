#pragma once
// Operators of the fake host that sum up, order or normalise along dimensions, and torch's loss
// functions.
#include <vissl/test/ops_pointwise.hpp>
#include <vissl/test/ops_shape.hpp>

namespace vissl {
namespace test VISSL_HIDDEN {

namespace detail {

// The elements along `dims` (none = all), one list per element of the result.
struct Lines {
  Shape shape, kept;  // of the result, without and with the reduced dimensions as 1
  std::vector<Values> lines;
};
inline Lines lines_along(const Array& a, const Shape& dims, bool keep) {
  std::vector<bool> reduced(a.dim(), dims.empty());
  for (const std::int64_t d : dims) {
    if (a.dim() > 0) reduced[a.wrap(d)] = true;
  }
  Lines out;
  for (std::size_t d = 0; d < a.dim(); ++d) {
    out.kept.push_back(reduced[d] ? 1 : a.sizes[d]);
    if (keep || !reduced[d]) out.shape.push_back(out.kept.back());
  }
  out.lines.resize(static_cast<std::size_t>(count_of(out.kept)));
  const Values values = a.values();
  const Shape from = contiguous_strides(a.sizes), to = contiguous_strides(out.kept);
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::int64_t line = 0;
    for (std::size_t d = 0; d < a.dim(); ++d) {
      if (!reduced[d]) line += static_cast<std::int64_t>(i) / from[d] % a.sizes[d] * to[d];
    }
    out.lines[static_cast<std::size_t>(line)].push_back(values[i]);
  }
  return out;
}
template <class F>
Array reduce(const Array& a, const Shape& dims, bool keep, vissl_dtype dtype, F f) {
  Lines all = lines_along(a, dims, keep);
  Values values;
  for (const Values& line : all.lines) values.push_back(f(line));
  return Array::make(std::move(values), all.shape, dtype);
}
// Replaces every line along `dim` by f(line) of the same length.
template <class F>
Array along(const Array& a, std::int64_t dim, vissl_dtype dtype, F f) {
  if (a.dim() == 0) return Array::make(f(a.values()), {}, dtype);
  const Array moved = transpose(a, dim, -1);
  const Array out = Array::filled(moved.sizes, 0, dtype);
  const auto length = static_cast<std::ptrdiff_t>(moved.sizes.back());
  const Values values = moved.values();
  for (auto at = values.begin(); at != values.end(); at += length) {
    const Values line = f(Values(at, at + length));
    std::copy(line.begin(), line.end(), out.storage->begin() + (at - values.begin()));
  }
  const Array back = transpose(out, dim, -1);
  return Array::make(back.values(), a.sizes, dtype);
}
inline double sum(const Values& x) {
  return std::accumulate(x.begin(), x.end(), 0.0);
}
inline double log_sum_exp(const Values& x) {
  const double top = *std::max_element(x.begin(), x.end());
  if (std::isinf(top)) return top;
  double total = 0;
  for (const double v : x) total += std::exp(v - top);
  return top + std::log(total);
}
inline Values log_softmax(const Values& x) {
  Values out = x;
  const double norm = log_sum_exp(x);
  for (double& v : out) v -= norm;
  return out;
}
// Order of a line; equal elements keep their order.
inline std::vector<std::size_t> order_of(const Values& x, bool descending) {
  std::vector<std::size_t> order(x.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) {
    return descending ? x[i] > x[j] : x[i] < x[j];
  });
  return order;
}
inline Array reduced_loss(Array each, std::int64_t reduction) {
  if (reduction == 0) return each;
  const double total = sum(each.values());
  return Array::scalar(reduction == 1 ? total / static_cast<double>(each.numel()) : total,
                       each.dtype);
}
// Class indices (N, …), or probabilities of the same shape as the logits (N, C, …).
inline Array cross_entropy(OpCall& c) {
  const Array &logits = c.tensor(0), &target = c.tensor(1);
  const std::int64_t reduction = c.integer(3, 1), ignored = c.integer(4, -100);
  const double smoothing = c.number(5, 0.0);
  const std::int64_t dim = logits.dim() == 1 ? 0 : 1;
  const Array log_p = along(logits, dim, logits.dtype, log_softmax);
  const auto classes = static_cast<std::size_t>(logits.sizes[static_cast<std::size_t>(dim)]);
  const Values weight = c.has(2) ? c.tensor(2).values() : Values(classes, 1.0);
  const Lines p = lines_along(log_p, {dim}, false);
  const bool soft = target.sizes == logits.sizes && is_floating(target.dtype);
  const Lines q = soft ? lines_along(target, {dim}, false) : Lines();
  const Values labels = soft ? Values() : target.values();
  Values losses;
  double norm = 0;
  for (std::size_t i = 0; i < p.lines.size(); ++i) {
    double loss = 0, mass = 1;
    const bool skip = !soft && static_cast<std::int64_t>(labels[i]) == ignored;
    for (std::size_t k = 0; k < classes && !skip; ++k) {
      const double y = soft ? q.lines[i][k] : truth(static_cast<std::size_t>(labels[i]) == k);
      const double share = y * (1 - smoothing) + smoothing / static_cast<double>(classes);
      // A label picks its own term, so that a masked class (-infinity) elsewhere does no harm.
      if (soft || share != 0) loss -= weight[k] * p.lines[i][k] * share;
      if (!soft && y != 0) mass = weight[k];
    }
    losses.push_back(loss);
    norm += skip ? 0 : mass;
  }
  if (reduction == 0) return Array::make(std::move(losses), p.shape, logits.dtype);
  return Array::scalar(reduction == 1 ? sum(losses) / norm : sum(losses), logits.dtype);
}

}  // namespace detail

inline void add_loss_ops(OpTable& ops) {
  using namespace detail;
  ops["aten::cross_entropy_loss"] = [](OpCall& c) { c.give(cross_entropy(c)); };
  ops["aten::binary_cross_entropy_with_logits"] = [](OpCall& c) {
    const Array &x = c.tensor(0), &y = c.tensor(1);
    const Values positive = c.has(3) ? c.tensor(3).expand(x.sizes).values() : Values();
    std::size_t at = 0;
    Array loss = zip(x, y, x.dtype, [&](double logit, double target) {
      const double w = positive.empty() ? 1.0 : positive[at++];
      const double softplus = std::log1p(std::exp(-std::abs(logit))) + std::max(-logit, 0.0);
      return (1 - target) * logit + (1 + (w - 1) * target) * softplus;
    });
    if (c.has(2)) loss = zip(loss, c.tensor(2), x.dtype, [](double l, double w) { return l * w; });
    c.give(reduced_loss(loss, c.integer(4, 1)));
  };
  ops["aten::mse_loss"] = [](OpCall& c) {
    c.give(reduced_loss(zip(c.tensor(0), c.tensor(1), c.tensor(0).dtype,
                            [](double x, double y) { return (x - y) * (x - y); }),
                        c.integer(2, 1)));
  };
  ops["aten::l1_loss"] = [](OpCall& c) {
    c.give(reduced_loss(zip(c.tensor(0), c.tensor(1), c.tensor(0).dtype,
                            [](double x, double y) { return std::abs(x - y); }),
                        c.integer(2, 1)));
  };
  ops["aten::kl_div"] = [](OpCall& c) {
    const bool log_target = c.flag(3, false);
    c.give(reduced_loss(zip(c.tensor(0), c.tensor(1), c.tensor(0).dtype,
                            [&](double x, double y) {
                              if (log_target) return std::exp(y) * (y - x);
                              return y > 0 ? y * (std::log(y) - x) : 0 * x;
                            }),
                        c.integer(2, 1)));
  };
}

inline void add_reduce_ops(OpTable& ops) {
  using namespace detail;
  const auto summed = [](vissl_dtype d) { return is_floating(d) ? d : vissl_dtype{VISSL_I64}; };
  const auto mean = [](const Values& x) { return sum(x) / static_cast<double>(x.size()); };
  ops["aten::sum"] = [summed](OpCall& c) {
    c.give(reduce(c.tensor(0), {}, false, c.dtype(1, summed(c.tensor(0).dtype)), sum));
  };
  ops["aten::sum.dim_IntList"] = [summed](OpCall& c) {
    c.give(reduce(c.tensor(0), c.ints(1), c.flag(2, false), c.dtype(3, summed(c.tensor(0).dtype)),
                  sum));
  };
  ops["aten::mean"] = [mean](OpCall& c) {
    c.give(reduce(c.tensor(0), {}, false, c.dtype(1, c.tensor(0).dtype), mean));
  };
  ops["aten::mean.dim"] = [mean](OpCall& c) {
    c.give(reduce(c.tensor(0), c.ints(1), c.flag(2, false), c.dtype(3, c.tensor(0).dtype), mean));
  };
  const auto variance = [mean](OpCall& c, bool root) {
    const double correction = c.number(2, 1.0);
    c.give(
        reduce(c.tensor(0), c.ints(1), c.flag(3, false), c.tensor(0).dtype, [&](const Values& x) {
          const double m = mean(x);
          double total = 0;
          for (const double v : x) total += (v - m) * (v - m);
          const double var = total / std::max(static_cast<double>(x.size()) - correction, 0.0);
          return root ? std::sqrt(var) : var;
        }));
  };
  ops["aten::var.correction"] = [variance](OpCall& c) { variance(c, false); };
  ops["aten::std.correction"] = [variance](OpCall& c) { variance(c, true); };
  ops["aten::linalg_vector_norm"] = [](OpCall& c) {
    const double p = c.number(1, 2.0);
    c.give(reduce(c.tensor(0), c.ints(2), c.flag(3, false), c.dtype(4, c.tensor(0).dtype),
                  [&](const Values& x) { return norm(x, p); }));
  };
  ops["aten::logsumexp"] = [](OpCall& c) {
    c.give(reduce(c.tensor(0), c.ints(1), c.flag(2, false), c.tensor(0).dtype, log_sum_exp));
  };
  ops["aten::all"] = [](OpCall& c) {
    c.give(reduce(c.tensor(0), {}, false, VISSL_BOOL, [](const Values& x) {
      return truth(std::find(x.begin(), x.end(), 0.0) == x.end());
    }));
  };
  const auto any = [](const Values& x) {
    return truth(std::any_of(x.begin(), x.end(), [](double v) { return v != 0; }));
  };
  ops["aten::any"] = [any](OpCall& c) { c.give(reduce(c.tensor(0), {}, false, VISSL_BOOL, any)); };
  ops["aten::any.dim"] = [any](OpCall& c) {
    c.give(reduce(c.tensor(0), {c.integer(1)}, c.flag(2, false), VISSL_BOOL, any));
  };
  // The extreme element and its place; the first of equals.
  const auto extreme = [](const Values& x, bool largest) {
    if (x.empty()) fail("the largest element of an empty tensor");
    return order_of(x, largest)[0];
  };
  for (const bool largest : {true, false}) {
    const std::string name = largest ? "max" : "min";
    const auto value = [=](const Values& x) { return x[extreme(x, largest)]; };
    const auto place = [=](const Values& x) { return static_cast<double>(extreme(x, largest)); };
    ops["aten::" + name] = [=](OpCall& c) {
      c.give(reduce(c.tensor(0), {}, false, c.tensor(0).dtype, value));
    };
    ops["aten::" + name + ".dim"] = [=](OpCall& c) {
      c.give(reduce(c.tensor(0), {c.integer(1)}, c.flag(2, false), c.tensor(0).dtype, value));
      c.give(reduce(c.tensor(0), {c.integer(1)}, c.flag(2, false), VISSL_I64, place));
    };
    ops["aten::a" + name] = [=](OpCall& c) {
      c.give(reduce(c.tensor(0), c.ints(1), c.flag(2, false), c.tensor(0).dtype, value));
    };
    ops["aten::arg" + name] = [=](OpCall& c) {
      c.give(reduce(c.tensor(0), c.ints(1), c.flag(2, false), VISSL_I64, place));
    };
  }
  const auto sorted = [](OpCall& c, std::int64_t dim, bool descending, std::int64_t count,
                         bool values) {
    const Array& a = c.tensor(0);
    Array indices = along(a, dim, VISSL_I64, [&](const Values& x) {
      Values out;
      for (const std::size_t i : order_of(x, descending)) out.push_back(static_cast<double>(i));
      return out;
    });
    Array ordered = along(a, dim, a.dtype, [&](const Values& x) {
      Values out;
      for (const std::size_t i : order_of(x, descending)) out.push_back(x[i]);
      return out;
    });
    if (count >= 0 && a.dim() > 0) {
      if (count > a.sizes[a.wrap(dim)]) fail("topk: k is larger than the dimension");
      ordered = slice(ordered, dim, 0, count, 1);
      indices = slice(indices, dim, 0, count, 1);
    }
    if (values) c.give(Array::make(ordered.values(), ordered.sizes, a.dtype));
    c.give(Array::make(indices.values(), indices.sizes, VISSL_I64));
  };
  ops["aten::topk"] = [sorted](OpCall& c) {
    sorted(c, c.integer(2, -1), c.flag(3, true), c.integer(1), true);
  };
  ops["aten::sort"] = [sorted](OpCall& c) {
    sorted(c, c.integer(1, -1), c.flag(2, false), -1, true);
  };
  ops["aten::argsort"] = [sorted](OpCall& c) {
    sorted(c, c.integer(1, -1), c.flag(2, false), -1, false);
  };
  ops["aten::cumsum"] = [summed](OpCall& c) {
    c.give(along(c.tensor(0), c.integer(1), c.dtype(2, summed(c.tensor(0).dtype)), [](Values x) {
      std::partial_sum(x.begin(), x.end(), x.begin());
      return x;
    }));
  };
  ops["aten::log_softmax.int"] = [](OpCall& c) {
    c.give(along(c.tensor(0), c.integer(1), c.dtype(2, floating(c.tensor(0).dtype)), log_softmax));
  };
  ops["aten::softmax.int"] = [](OpCall& c) {
    c.give(along(c.tensor(0), c.integer(1), c.dtype(2, floating(c.tensor(0).dtype)),
                 [](const Values& x) {
                   Values out = log_softmax(x);
                   for (double& v : out) v = std::exp(v);
                   return out;
                 }));
  };
  ops["aten::one_hot"] = [](OpCall& c) {
    const Values labels = c.tensor(0).values();
    std::int64_t classes = c.integer(1, -1);
    for (const double x : labels) {
      if (c.integer(1, -1) < 0) classes = std::max(classes, static_cast<std::int64_t>(x) + 1);
    }
    Shape shape = c.tensor(0).sizes;
    shape.push_back(classes);
    Values values(static_cast<std::size_t>(count_of(shape)), 0);
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (labels[i] < 0 || labels[i] >= static_cast<double>(classes))
        fail("one_hot: a class is outside");
      values[i * static_cast<std::size_t>(classes) + static_cast<std::size_t>(labels[i])] = 1;
    }
    c.give(Array::make(std::move(values), shape, VISSL_I64));
  };
  ops["aten::bincount"] = [](OpCall& c) {
    const Values at = c.tensor(0).values(), weights = c.has(1) ? c.tensor(1).values() : Values();
    Values counts(static_cast<std::size_t>(c.integer(2, 0)), 0);
    for (std::size_t i = 0; i < at.size(); ++i) {
      const auto k = static_cast<std::size_t>(at[i]);
      if (k >= counts.size()) counts.resize(k + 1, 0);
      counts[k] += weights.empty() ? 1 : weights[i];
    }
    const Shape shape = {static_cast<std::int64_t>(counts.size())};
    c.give(Array::make(std::move(counts), shape, c.has(1) ? VISSL_F64 : VISSL_I64));
  };
  ops["aten::equal"] = [](OpCall& c) {
    c.give_bool(c.tensor(0).sizes == c.tensor(1).sizes &&
                c.tensor(0).values() == c.tensor(1).values());
  };
  add_loss_ops(ops);
}

}  // namespace test
}  // namespace vissl
