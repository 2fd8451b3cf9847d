#pragma once
// Operators of the fake host that multiply matrices, convolve, pool and normalise; written as plain
// loops.
#include <vissl/test/ops_reduce.hpp>

namespace vissl {
namespace test VISSL_HIDDEN {

namespace detail {

// (…, n, k) x (…, k, m) with torch's rules for vectors and batches.
inline Array matmul(const Array& x, const Array& y) {
  if (x.dim() == 0 || y.dim() == 0) fail("matmul of a scalar");
  const Array a = x.dim() == 1 ? unsqueeze(x, 0) : x, b = y.dim() == 1 ? unsqueeze(y, 1) : y;
  const std::int64_t n = a.sizes[a.dim() - 2], k = a.sizes.back(), m = b.sizes.back();
  if (b.sizes[b.dim() - 2] != k) fail("matmul of " + to_text(x.sizes) + " and " + to_text(y.sizes));
  const Shape batch = broadcast(Shape(a.sizes.begin(), a.sizes.end() - 2),
                                Shape(b.sizes.begin(), b.sizes.end() - 2));
  Shape a_shape = batch, b_shape = batch, shape = batch;
  a_shape.insert(a_shape.end(), {n, k});
  b_shape.insert(b_shape.end(), {k, m});
  shape.insert(shape.end(), {n, m});
  const Values left = a.expand(a_shape).values(), right = b.expand(b_shape).values();
  Values out(static_cast<std::size_t>(count_of(shape)), 0);
  for (std::int64_t g = 0; g < count_of(batch); ++g) {
    for (std::int64_t i = 0; i < n; ++i) {
      for (std::int64_t j = 0; j < m; ++j) {
        double total = 0;
        for (std::int64_t t = 0; t < k; ++t) {
          total += left[static_cast<std::size_t>((g * n + i) * k + t)] *
                   right[static_cast<std::size_t>((g * k + t) * m + j)];
        }
        out[static_cast<std::size_t>((g * n + i) * m + j)] = total;
      }
    }
  }
  if (x.dim() == 1) shape.erase(shape.end() - 2);
  if (y.dim() == 1) shape.pop_back();
  return Array::make(std::move(out), shape, promote(x.dtype, y.dtype));
}
inline Array plus(const Array& a, const Array& b) {
  return zip(a, b, result_type(a, b), [](double x, double y) { return x + y; });
}
// Sums over all letters that the output lacks; no ellipsis.
inline Array einsum(std::string equation, const std::vector<std::shared_ptr<Array>>& operands) {
  equation.erase(std::remove(equation.begin(), equation.end(), ' '), equation.end());
  const std::size_t arrow = equation.find("->");
  const std::string inputs = equation.substr(0, arrow);
  std::map<char, std::int64_t> sizes;
  std::map<char, int> uses;
  std::vector<std::string> terms = {""};
  for (const char letter : inputs) {
    if (letter == ',')
      terms.emplace_back();
    else if (std::isalpha(static_cast<unsigned char>(letter)) == 0)
      fail("the fake host's einsum knows letters only, not '" + equation + "'");
    else
      terms.back() += letter, ++uses[letter];
  }
  if (terms.size() != operands.size()) fail(equation + " does not fit the number of tensors");
  for (std::size_t i = 0; i < terms.size(); ++i) {
    if (terms[i].size() != operands[i]->dim())
      fail(equation + " does not fit " + to_text(operands[i]->sizes));
    for (std::size_t d = 0; d < terms[i].size(); ++d) {
      const std::int64_t n = operands[i]->sizes[d];
      if (!sizes.emplace(terms[i][d], n).second && sizes[terms[i][d]] != n)
        fail(equation + ": two sizes for '" + terms[i][d] + "'");
    }
  }
  std::string kept;
  if (arrow != std::string::npos) kept = equation.substr(arrow + 2);
  for (const auto& [letter, count] : uses) {
    if (arrow == std::string::npos && count == 1) kept += letter;
  }
  std::string letters = kept;  // the output's first: its position is then the quotient
  for (const auto& [letter, count] : uses) {
    if (kept.find(letter) == std::string::npos) letters += letter;
  }
  Shape all, shape;
  for (const char letter : letters) all.push_back(sizes.at(letter));
  for (const char letter : kept) shape.push_back(sizes.at(letter));
  const Shape strides = contiguous_strides(all);
  const std::int64_t summed = count_of(all) / std::max<std::int64_t>(1, count_of(shape));
  std::vector<Values> from;
  vissl_dtype dtype = operands[0]->dtype;
  for (const auto& operand : operands) {
    from.push_back(operand->values());
    dtype = promote(dtype, operand->dtype);
  }
  Values out(static_cast<std::size_t>(count_of(shape)), 0);
  for (std::int64_t at = 0; at < count_of(all); ++at) {
    double product = 1;
    for (std::size_t i = 0; i < terms.size(); ++i) {
      std::int64_t place = 0;
      for (const char letter : terms[i]) {
        const std::size_t d = letters.find(letter);
        place = place * all[d] + at / strides[d] % all[d];
      }
      product *= from[i][static_cast<std::size_t>(place)];
    }
    out[static_cast<std::size_t>(at / summed)] += product;
  }
  return Array::make(std::move(out), shape, dtype);
}
inline std::int64_t of_pair(const Shape& pair, std::size_t i, std::int64_t otherwise) {
  return pair.empty() ? otherwise : pair.size() == 1 ? pair[0] : pair[i];
}
// Calls body(elements of the window) for every output pixel of a (N, C, H, W) tensor; NaN marks
// padding.
template <class Body>
Array pool(const Array& a, const Shape& kernel, const Shape& stride, const Shape& padding,
           bool ceil_mode, Body body) {
  Shape shape = a.sizes;
  std::int64_t k[2], s[2], p[2];
  for (std::size_t i = 0; i < 2; ++i) {
    k[i] = of_pair(kernel, i, 1);
    s[i] = of_pair(stride, i, k[i]);
    p[i] = of_pair(padding, i, 0);
    const std::int64_t span = a.sizes[a.dim() - 2 + i] + 2 * p[i] - k[i];
    std::int64_t n = (span + (ceil_mode ? s[i] - 1 : 0)) / s[i] + 1;
    if (ceil_mode && (n - 1) * s[i] >= a.sizes[a.dim() - 2 + i] + p[i]) --n;
    shape[a.dim() - 2 + i] = n;
  }
  const std::int64_t h = a.sizes[a.dim() - 2], w = a.sizes.back();
  const Values from = a.values();
  Values out;
  for (std::int64_t plane = 0; plane < a.numel() / (h * w); ++plane) {
    for (std::int64_t y = 0; y < shape[a.dim() - 2]; ++y) {
      for (std::int64_t x = 0; x < shape.back(); ++x) {
        Values window;
        for (std::int64_t i = y * s[0] - p[0]; i < y * s[0] - p[0] + k[0]; ++i) {
          for (std::int64_t j = x * s[1] - p[1]; j < x * s[1] - p[1] + k[1]; ++j) {
            const bool inside = i >= 0 && i < h && j >= 0 && j < w;
            const bool padded = i < h + p[0] && j < w + p[1];
            if (inside)
              window.push_back(from[static_cast<std::size_t>((plane * h + i) * w + j)]);
            else if (padded)
              window.push_back(std::nan(""));
          }
        }
        out.push_back(body(window));
      }
    }
  }
  return Array::make(std::move(out), shape, a.dtype);
}
template <class Body>
Array adaptive_pool(const Array& a, const Shape& size, Body body) {
  Shape shape = a.sizes;
  const std::int64_t h = a.sizes[a.dim() - 2], w = a.sizes.back();
  const std::int64_t oh = of_pair(size, 0, 1), ow = of_pair(size, 1, 1);
  shape[a.dim() - 2] = oh;
  shape.back() = ow;
  const Values from = a.values();
  Values out;
  for (std::int64_t plane = 0; plane < a.numel() / (h * w); ++plane) {
    for (std::int64_t y = 0; y < oh; ++y) {
      for (std::int64_t x = 0; x < ow; ++x) {
        Values window;
        for (std::int64_t i = y * h / oh; i < ((y + 1) * h + oh - 1) / oh; ++i) {
          for (std::int64_t j = x * w / ow; j < ((x + 1) * w + ow - 1) / ow; ++j) {
            window.push_back(from[static_cast<std::size_t>((plane * h + i) * w + j)]);
          }
        }
        out.push_back(body(window));
      }
    }
  }
  return Array::make(std::move(out), shape, a.dtype);
}
inline Array conv2d(OpCall& c) {
  const Array &x = c.tensor(0), &w = c.tensor(1);
  const Shape stride = c.ints(3), padding = c.ints(4), dilation = c.ints(5);
  const std::int64_t groups = c.integer(6, 1);
  const std::int64_t kh = w.sizes[2], kw = w.sizes[3], in = w.sizes[1], out_channels = w.sizes[0];
  if (x.dim() != 4 || x.sizes[1] != in * groups) {
    fail("conv2d of " + to_text(x.sizes) + " with weights " + to_text(w.sizes));
  }
  std::int64_t s[2], p[2], d[2];
  Shape shape = {x.sizes[0], out_channels, 0, 0};
  for (std::size_t i = 0; i < 2; ++i) {
    s[i] = of_pair(stride, i, 1);
    p[i] = of_pair(padding, i, 0);
    d[i] = of_pair(dilation, i, 1);
    shape[2 + i] = (x.sizes[2 + i] + 2 * p[i] - d[i] * (w.sizes[2 + i] - 1) - 1) / s[i] + 1;
  }
  const Values from = x.values(), weight = w.values(),
               bias = c.has(2) ? c.tensor(2).values() : Values();
  Values out;
  for (std::int64_t n = 0; n < shape[0]; ++n) {
    for (std::int64_t o = 0; o < out_channels; ++o) {
      for (std::int64_t y = 0; y < shape[2]; ++y) {
        for (std::int64_t q = 0; q < shape[3]; ++q) {
          double total = bias.empty() ? 0 : bias[static_cast<std::size_t>(o)];
          for (std::int64_t t = 0; t < in * kh * kw; ++t) {
            const std::int64_t i = t / (kh * kw), row = y * s[0] - p[0] + t / kw % kh * d[0];
            const std::int64_t column = q * s[1] - p[1] + t % kw * d[1];
            if (row < 0 || row >= x.sizes[2] || column < 0 || column >= x.sizes[3]) continue;
            const std::int64_t channel = o / (out_channels / groups) * in + i;
            total += weight[static_cast<std::size_t>(o * in * kh * kw + t)] *
                     from[static_cast<std::size_t>(
                         ((n * x.sizes[1] + channel) * x.sizes[2] + row) * x.sizes[3] + column)];
          }
          out.push_back(total);
        }
      }
    }
  }
  return Array::make(std::move(out), shape, x.dtype);
}
// Normalises blocks of `block` consecutive elements to mean 0 and variance 1.
inline Values standardise(Values x, std::size_t block, double eps) {
  for (std::size_t at = 0; at < x.size(); at += block) {
    double mean = 0, variance = 0;
    for (std::size_t i = at; i < at + block; ++i) mean += x[i] / static_cast<double>(block);
    for (std::size_t i = at; i < at + block; ++i)
      variance += (x[i] - mean) * (x[i] - mean) / static_cast<double>(block);
    for (std::size_t i = at; i < at + block; ++i) x[i] = (x[i] - mean) / std::sqrt(variance + eps);
  }
  return x;
}

}  // namespace detail

inline void add_linear_ops(OpTable& ops) {
  using namespace detail;
  for (const char* name : {"aten::matmul", "aten::mm", "aten::bmm", "aten::dot"}) {
    ops[name] = [](OpCall& c) { c.give(detail::matmul(c.tensor(0), c.tensor(1))); };
  }
  ops["aten::outer"] = [](OpCall& c) {
    c.give(detail::matmul(unsqueeze(c.tensor(0), 1), unsqueeze(c.tensor(1), 0)));
  };
  ops["aten::addmm"] = [](OpCall& c) {
    const double beta = c.number(3, 1.0), alpha = c.number(4, 1.0);
    c.give(zip(detail::matmul(c.tensor(1), c.tensor(2)), c.tensor(0), c.tensor(1).dtype,
               [&](double product, double x) { return beta * x + alpha * product; }));
  };
  ops["aten::linear"] = [](OpCall& c) {
    Array y = detail::matmul(c.tensor(0), transpose(c.tensor(1), 0, 1));
    c.give(c.has(2) ? plus(y, c.tensor(2)) : y);
  };
  ops["aten::einsum"] = [](OpCall& c) { c.give(detail::einsum(c.text(0, ""), c.tensors(1))); };
  ops["aten::conv2d"] = [](OpCall& c) { c.give(detail::conv2d(c)); };
  ops["aten::embedding"] = [](OpCall& c) {
    const Array &table = c.tensor(0), &index = c.tensor(1);
    const Values from = table.values(), rows = index.values();
    const auto width = static_cast<std::size_t>(table.sizes[1]);
    Values out;
    for (const double row : rows) {
      if (row < 0 || row >= static_cast<double>(table.sizes[0]))
        fail("embedding: an index is outside");
      const auto at =
          from.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(row) * width);
      out.insert(out.end(), at, at + static_cast<std::ptrdiff_t>(width));
    }
    Shape shape = index.sizes;
    shape.push_back(table.sizes[1]);
    c.give(Array::make(std::move(out), shape, table.dtype));
  };
  ops["aten::dropout"] = [](OpCall& c) {
    const double p = c.number(1);
    if (!c.flag(2, true) || p == 0) return c.give(c.shared(0));
    c.give(map(c.tensor(0), c.tensor(0).dtype, [&](double x) {
      return Engine::current().generator.bernoulli(1 - p) ? x / (1 - p) : 0 * x;
    }));
  };
  ops["aten::layer_norm"] = [](OpCall& c) {
    const Array& x = c.tensor(0);
    const auto block = static_cast<std::size_t>(count_of(c.ints(1)));
    Array y = Array::make(standardise(x.values(), block, c.number(4, 1e-5)), x.sizes, x.dtype);
    if (c.has(2)) y = zip(y, c.tensor(2), x.dtype, [](double a, double b) { return a * b; });
    c.give(c.has(3) ? plus(y, c.tensor(3)) : y);
  };
  ops["aten::group_norm"] = [](OpCall& c) {
    const Array& x = c.tensor(0);
    const auto block = static_cast<std::size_t>(x.numel() / (x.sizes[0] * c.integer(1)));
    Array y = Array::make(standardise(x.values(), block, c.number(4, 1e-5)), x.sizes, x.dtype);
    Shape per_channel(x.dim(), 1);
    per_channel[1] = x.sizes[1];
    if (c.has(2)) {
      y = zip(y, reshape(c.tensor(2), per_channel), x.dtype,
              [](double a, double b) { return a * b; });
    }
    c.give(c.has(3) ? plus(y, reshape(c.tensor(3), per_channel)) : y);
  };
  const auto largest = [](const Values& window) {
    double top = -INFINITY;
    for (const double v : window) top = v > top ? v : top;
    return top;
  };
  ops["aten::max_pool2d"] = [largest](OpCall& c) {
    c.give(pool(c.tensor(0), c.ints(1), c.ints(2), c.ints(3), c.flag(5, false), largest));
  };
  ops["aten::avg_pool2d"] = [](OpCall& c) {
    const bool count_padding = c.flag(5, true);
    c.give(pool(c.tensor(0), c.ints(1), c.ints(2), c.ints(3), c.flag(4, false),
                [&](const Values& window) {
                  double total = 0, count = 0;
                  for (const double v : window) {
                    total += std::isnan(v) ? 0 : v;
                    count += truth(count_padding || !std::isnan(v));
                  }
                  return total / count;
                }));
  };
  ops["aten::adaptive_avg_pool2d"] = [](OpCall& c) {
    c.give(adaptive_pool(c.tensor(0), c.ints(1), [](const Values& window) {
      return sum(window) / static_cast<double>(window.size());
    }));
  };
  ops["aten::scaled_dot_product_attention"] = [](OpCall& c) {
    const Array& q = c.tensor(0);
    const double scale = c.number(6, 1 / std::sqrt(static_cast<double>(q.sizes.back())));
    Array scores = map(detail::matmul(q, transpose(c.tensor(1), -2, -1)), q.dtype,
                       [&](double x) { return x * scale; });
    if (c.has(3)) scores = plus(scores, c.tensor(3));
    const Array weights = along(scores, -1, q.dtype, [](const Values& x) {
      Values out = log_softmax(x);
      for (double& v : out) v = std::exp(v);
      return out;
    });
    c.give(detail::matmul(weights, c.tensor(2)));
  };
}

}  // namespace test
}  // namespace vissl
