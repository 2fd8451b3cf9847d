#pragma once
// Operators of the fake host that make, reorder, join and pick elements.
#include <vissl/test/engine.hpp>

namespace vissl {
namespace test VISSL_HIDDEN {

namespace detail {

inline Shape infer(Shape shape, std::int64_t numel) {
  std::int64_t known = 1;
  std::size_t open = shape.size();
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == -1) open = i;
    if (shape[i] != -1) known *= shape[i];
  }
  if (open < shape.size()) shape[open] = known != 0 ? numel / known : 0;
  if (count_of(shape) != numel)
    fail(std::to_string(numel) + " elements do not fill " + to_text(shape));
  return shape;
}
// A view when the memory allows it, else a copy.
inline Array reshape(const Array& a, const Shape& wanted) {
  const Shape shape = infer(wanted, a.numel());
  if (a.contiguous()) return a.view(shape, contiguous_strides(shape), a.offset);
  return Array::make(a.values(), shape, a.dtype);
}
inline Array permute(const Array& a, const Shape& dims) {
  Shape sizes, strides;
  for (const std::int64_t d : dims) {
    sizes.push_back(a.sizes[a.wrap(d)]);
    strides.push_back(a.strides[a.wrap(d)]);
  }
  return a.view(sizes, strides, a.offset);
}
inline Array transpose(const Array& a, std::int64_t d0, std::int64_t d1) {
  Array out = a.view(a.sizes, a.strides, a.offset);
  if (a.dim() == 0) return out;
  std::swap(out.sizes[a.wrap(d0)], out.sizes[a.wrap(d1)]);
  std::swap(out.strides[a.wrap(d0)], out.strides[a.wrap(d1)]);
  return out;
}
inline Array slice(const Array& a, std::int64_t dim, std::int64_t from, std::int64_t to,
                   std::int64_t step) {
  const std::size_t d = a.wrap(dim);
  const std::int64_t n = a.sizes[d];
  from = std::min(std::max<std::int64_t>(from < 0 ? from + n : from, 0), n);
  to = std::min(std::max<std::int64_t>(to < 0 ? to + n : to, from), n);
  Array out = a.view(a.sizes, a.strides, a.offset + from * a.strides[d]);
  out.sizes[d] = (to - from + step - 1) / step;
  out.strides[d] *= step;
  return out;
}
inline Array select(const Array& a, std::int64_t dim, std::int64_t index) {
  const std::size_t d = a.wrap(dim);
  if (index < -a.sizes[d] || index >= a.sizes[d]) {
    fail("index " + std::to_string(index) + " of dimension " + std::to_string(d) + " of " +
         to_text(a.sizes));
  }
  Array out = slice(a, dim, index < 0 ? index + a.sizes[d] : index, INT64_MAX, 1);
  out.sizes.erase(out.sizes.begin() + static_cast<std::ptrdiff_t>(d));
  out.strides.erase(out.strides.begin() + static_cast<std::ptrdiff_t>(d));
  return out;
}
inline Array unsqueeze(const Array& a, std::int64_t dim) {
  const auto d =
      static_cast<std::ptrdiff_t>(dim < 0 ? dim + static_cast<std::int64_t>(a.dim()) + 1 : dim);
  Array out = a.view(a.sizes, a.strides, a.offset);
  out.sizes.insert(out.sizes.begin() + d, 1);
  out.strides.insert(out.strides.begin() + d, 1);
  return out;
}
inline Array cat(const std::vector<std::shared_ptr<Array>>& list, std::int64_t dim) {
  std::vector<std::shared_ptr<Array>> parts;
  for (const auto& a : list) {
    if (a->sizes != Shape{0}) parts.push_back(a);  // torch skips them
  }
  if (parts.empty()) return *list.at(0);
  const std::size_t d = parts[0]->wrap(dim);
  Shape shape = parts[0]->sizes;
  shape[d] = 0;
  vissl_dtype dtype = parts[0]->dtype;
  for (const auto& a : parts) {
    Shape other = a->sizes;
    if (other.size() == shape.size()) other[d] = shape[d];
    if (other != shape) fail("cat of " + to_text(parts[0]->sizes) + " and " + to_text(a->sizes));
    shape[d] += a->sizes[d];
    dtype = promote(dtype, a->dtype);
  }
  const Array out = Array::filled(shape, 0, dtype);
  std::int64_t at = 0;
  for (const auto& a : parts) {
    slice(out, static_cast<std::int64_t>(d), at, at + a->sizes[d], 1).assign(a->values());
    at += a->sizes[d];
  }
  return out;
}
}  // namespace detail

inline void add_shape_ops(OpTable& ops) {
  using namespace detail;
  ops["aten::t"] = [](OpCall& c) {
    c.give(transpose(c.tensor(0), 0, c.tensor(0).dim() < 2 ? 0 : 1));
  };
  ops["aten::transpose.int"] = [](OpCall& c) {
    c.give(transpose(c.tensor(0), c.integer(1), c.integer(2)));
  };
  ops["aten::permute"] = [](OpCall& c) { c.give(permute(c.tensor(0), c.ints(1))); };
  ops["aten::reshape"] = [](OpCall& c) { c.give(reshape(c.tensor(0), c.ints(1))); };
  ops["aten::view"] = [](OpCall& c) {
    if (!c.tensor(0).contiguous()) fail("view of a tensor that is not contiguous; use reshape");
    c.give(reshape(c.tensor(0), c.ints(1)));
  };
  ops["aten::flatten.using_ints"] = [](OpCall& c) {
    const Array& a = c.tensor(0);
    const std::size_t from = a.wrap(c.integer(1, 0)), to = a.wrap(c.integer(2, -1));
    Shape shape;
    for (std::size_t d = 0; d < a.dim(); ++d) {
      if (d > from && d <= to)
        shape.back() *= a.sizes[d];
      else
        shape.push_back(a.sizes[d]);
    }
    c.give(reshape(a, shape.empty() ? Shape{1} : shape));
  };
  ops["aten::squeeze.dim"] = [](OpCall& c) {
    const Array& a = c.tensor(0);
    const std::size_t d = a.wrap(c.integer(1));
    c.give(a.dim() > 0 && a.sizes[d] == 1 ? select(a, c.integer(1), 0)
                                          : a.view(a.sizes, a.strides, a.offset));
  };
  ops["aten::unsqueeze"] = [](OpCall& c) { c.give(unsqueeze(c.tensor(0), c.integer(1))); };
  ops["aten::expand"] = [](OpCall& c) { c.give(c.tensor(0).expand(c.ints(1))); };
  ops["aten::expand_as"] = [](OpCall& c) { c.give(c.tensor(0).expand(c.tensor(1).sizes)); };
  ops["aten::repeat"] = [](OpCall& c) {
    const Shape times = c.ints(1);
    auto out = std::make_shared<Array>(c.tensor(0));
    while (out->dim() < times.size()) out = std::make_shared<Array>(unsqueeze(*out, 0));
    for (std::size_t d = 0; d < times.size(); ++d) {
      const std::vector<std::shared_ptr<Array>> copies(static_cast<std::size_t>(times[d]), out);
      out = std::make_shared<Array>(cat(copies, static_cast<std::int64_t>(d)));
    }
    c.give(std::move(*out));
  };
  ops["aten::repeat_interleave.self_int"] = [](OpCall& c) {
    const Array a = c.has(2) ? c.tensor(0) : reshape(c.tensor(0), {-1});
    const std::int64_t dim = c.integer(2, 0);
    std::vector<std::shared_ptr<Array>> rows;
    for (std::int64_t i = 0; i < a.sizes[a.wrap(dim)] * c.integer(1); ++i) {
      rows.push_back(
          std::make_shared<Array>(slice(a, dim, i / c.integer(1), i / c.integer(1) + 1, 1)));
    }
    c.give(cat(rows, dim));
  };
  ops["aten::contiguous"] = [](OpCall& c) {
    const Array& a = c.tensor(0);
    a.contiguous() ? c.give(c.shared(0)) : c.give(Array::make(a.values(), a.sizes, a.dtype));
  };
  ops["aten::clone"] = [](OpCall& c) {
    c.give(Array::make(c.tensor(0).values(), c.tensor(0).sizes, c.tensor(0).dtype));
  };
  ops["aten::detach"] = [](OpCall& c) {
    const Array& a = c.tensor(0);
    c.give(a.view(a.sizes, a.strides, a.offset));
  };
  const auto to = [](OpCall& c, vissl_dtype dtype, bool copy) {
    const Array& a = c.tensor(0);
    if (a.dtype == dtype && !copy) return c.give(c.shared(0));
    c.give(Array::make(a.values(), a.sizes, dtype));
  };
  ops["aten::to.dtype"] = [to](OpCall& c) { to(c, c.dtype(1, VISSL_F32), c.flag(3, false)); };
  ops["aten::to.other"] = [to](OpCall& c) { to(c, c.tensor(1).dtype, c.flag(3, false)); };
  ops["aten::copy_"] = [](OpCall& c) {
    c.tensor(0).assign(c.tensor(1).expand(c.tensor(0).sizes).values());
    c.give(c.shared(0));
  };
  const auto fill = [](OpCall& c, double x) {
    c.tensor(0).each(
        [&](std::size_t at) { (*c.tensor(0).storage)[at] = convert(x, c.tensor(0).dtype); });
    c.give(c.shared(0));
  };
  ops["aten::fill_.Scalar"] = [fill](OpCall& c) { fill(c, c.number(1)); };
  ops["aten::zero_"] = [fill](OpCall& c) { fill(c, 0); };
  const auto like = [](OpCall& c, double x, std::size_t dtype) {
    c.give(Array::filled(c.tensor(0).sizes, x, c.dtype(dtype, c.tensor(0).dtype)));
  };
  ops["aten::zeros_like"] = [like](OpCall& c) { like(c, 0, 1); };
  ops["aten::ones_like"] = [like](OpCall& c) { like(c, 1, 1); };
  ops["aten::empty_like"] = [like](OpCall& c) { like(c, std::nan(""), 1); };
  ops["aten::full_like"] = [like](OpCall& c) { like(c, c.number(1), 2); };
  ops["aten::zeros"] = [](OpCall& c) {
    c.give(Array::filled(c.ints(0), 0, c.dtype(1, VISSL_F32)));
  };
  ops["aten::ones"] = [](OpCall& c) { c.give(Array::filled(c.ints(0), 1, c.dtype(1, VISSL_F32))); };
  ops["aten::full"] = [](OpCall& c) {
    c.give(Array::filled(c.ints(0), c.number(1), c.dtype(2, c.scalar_dtype(1))));
  };
  ops["aten::arange.start_step"] = [](OpCall& c) {
    const double from = c.number(0), end = c.number(1), step = c.number(2, 1.0);
    Values values;
    for (std::int64_t i = 0; from + static_cast<double>(i) * step < end; ++i) {
      values.push_back(from + static_cast<double>(i) * step);
    }
    const Shape shape = {static_cast<std::int64_t>(values.size())};
    const bool whole = c.scalar_dtype(0) == VISSL_I64 && c.scalar_dtype(1) == VISSL_I64;
    c.give(Array::make(std::move(values), shape, c.dtype(3, whole ? VISSL_I64 : VISSL_F32)));
  };
  ops["aten::linspace"] = [](OpCall& c) {
    const std::int64_t n = c.integer(2);
    Values values;
    for (std::int64_t i = 0; i < n; ++i) {
      const double part = n > 1 ? static_cast<double>(i) / static_cast<double>(n - 1) : 0;
      values.push_back(c.number(0) + (c.number(1) - c.number(0)) * part);
    }
    c.give(Array::make(std::move(values), {n}, c.dtype(3, VISSL_F32)));
  };
  ops["aten::eye.m"] = [](OpCall& c) {
    const Array out = Array::filled({c.integer(0), c.integer(1)}, 0, c.dtype(2, VISSL_F32));
    for (std::int64_t i = 0; i < std::min(c.integer(0), c.integer(1)); ++i) {
      (*out.storage)[static_cast<std::size_t>(i * (c.integer(1) + 1))] = 1;
    }
    c.give(out);
  };
  ops["aten::cat"] = [](OpCall& c) { c.give(cat(c.tensors(0), c.integer(1, 0))); };
  ops["aten::stack"] = [](OpCall& c) {
    std::vector<std::shared_ptr<Array>> list;
    for (const auto& a : c.tensors(0))
      list.push_back(std::make_shared<Array>(unsqueeze(*a, c.integer(1, 0))));
    c.give(cat(list, c.integer(1, 0)));
  };
  const auto split = [](OpCall& c, std::int64_t size, std::int64_t dim) {
    std::vector<Array> parts;
    const Array& a = c.tensor(0);
    for (std::int64_t at = 0; at < a.sizes[a.wrap(dim)]; at += size) {
      parts.push_back(slice(a, dim, at, std::min(at + size, a.sizes[a.wrap(dim)]), 1));
    }
    c.give_list(std::move(parts));
  };
  ops["aten::split.Tensor"] = [split](OpCall& c) { split(c, c.integer(1), c.integer(2, 0)); };
  ops["aten::chunk"] = [split](OpCall& c) {
    const std::int64_t n = c.tensor(0).sizes[c.tensor(0).wrap(c.integer(2, 0))],
                       chunks = c.integer(1);
    split(c, (n + chunks - 1) / chunks, c.integer(2, 0));
  };
  ops["aten::select.int"] = [](OpCall& c) {
    c.give(select(c.tensor(0), c.integer(1), c.integer(2)));
  };
  ops["aten::slice.Tensor"] = [](OpCall& c) {
    c.give(slice(c.tensor(0), c.integer(1, 0), c.integer(2, 0), c.integer(3, INT64_MAX),
                 c.integer(4, 1)));
  };
  ops["aten::narrow"] = [](OpCall& c) {
    c.give(slice(c.tensor(0), c.integer(1), c.integer(2), c.integer(2) + c.integer(3), 1));
  };
  ops["aten::diagonal"] = [](OpCall& c) {
    const Array& a = c.tensor(0);
    if (c.integer(1, 0) != 0 || a.dim() != 2)
      fail("the fake host has the main diagonal of matrices only");
    c.give(a.view({std::min(a.sizes[0], a.sizes[1])}, {a.strides[0] + a.strides[1]}, a.offset));
  };
  const auto triangle = [](OpCall& c, bool upper) {
    const Array& a = c.tensor(0);
    Values values = a.values();
    const std::int64_t columns = a.sizes.back(), rows = a.sizes[a.dim() - 2], k = c.integer(1, 0);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto at = static_cast<std::int64_t>(i);
      const std::int64_t difference = at % columns - at / columns % rows;
      if (upper ? difference < k : difference > k) values[i] = 0;
    }
    c.give(Array::make(std::move(values), a.sizes, a.dtype));
  };
  ops["aten::triu"] = [triangle](OpCall& c) { triangle(c, true); };
  ops["aten::tril"] = [triangle](OpCall& c) { triangle(c, false); };
}

}  // namespace test
}  // namespace vissl
