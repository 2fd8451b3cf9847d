#pragma once
// Operators of the fake host that pick and place elements by index.
#include <vissl/test/ops_shape.hpp>

namespace vissl {
namespace test VISSL_HIDDEN {

namespace detail {

// Calls body(row-major position in `index`, row-major position in an array of sizes `shape` with
// index[dim] replaced).
template <class Body>
void each_indexed(const Array& index, const Shape& shape, std::size_t dim, Body body) {
  const Values rows = index.values();
  const Shape strides = contiguous_strides(shape);
  Shape at(index.dim(), 0);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto row = static_cast<std::int64_t>(rows[i]);
    if (row < 0 || row >= shape[dim])
      fail("index " + std::to_string(row) + " is outside " + to_text(shape));
    std::int64_t place = row * strides[dim];
    for (std::size_t d = 0; d < at.size(); ++d) place += d == dim ? 0 : at[d] * strides[d];
    body(i, static_cast<std::size_t>(place));
    for (std::size_t d = at.size(); d-- > 0;) {
      if (++at[d] < index.sizes[d]) break;
      at[d] = 0;
    }
  }
}
// Places (row-major) that x[indices[0], indices[1], …] names; NULL = all of that dimension. Masks
// count as their nonzeros.
struct Picked {
  std::vector<std::size_t> places;
  Shape shape;
};
inline Picked pick(const Array& a, std::vector<std::shared_ptr<Array>> indices) {
  Shape common;
  std::vector<Shape> rows(a.dim());
  std::size_t d = 0, first = a.dim();
  for (const auto& index : indices) {
    if (index == nullptr) {
      ++d;
      continue;
    }
    first = std::min(first, d);
    if (index->dtype == VISSL_BOOL || index->dtype == VISSL_U8) {
      const Values mask = index->values();
      const Shape strides = contiguous_strides(index->sizes);
      for (std::size_t k = 0; k < index->dim(); ++k, ++d) {
        for (std::size_t i = 0; i < mask.size(); ++i) {
          if (mask[i] != 0)
            rows[d].push_back(static_cast<std::int64_t>(i) / strides[k] % index->sizes[k]);
        }
        common = broadcast(common, {static_cast<std::int64_t>(rows[d].size())});
      }
    } else {
      common = broadcast(common, index->sizes);
      ++d;
    }
  }
  d = 0;
  for (const auto& index : indices) {
    if (index == nullptr) {
      ++d;
    } else if (index->dtype == VISSL_BOOL || index->dtype == VISSL_U8) {
      d += index->dim();
    } else {
      for (const double x : index->expand(common).values())
        rows[d].push_back(static_cast<std::int64_t>(x));
      ++d;
    }
  }
  // Result: dimensions before `first`, the indexed ones together, the rest. Non-adjacent indices
  // are not supported.
  Picked out;
  Shape rest;
  std::size_t after = first;
  while (after < a.dim() && !rows[after].empty()) ++after;
  out.shape.assign(a.sizes.begin(), a.sizes.begin() + static_cast<std::ptrdiff_t>(first));
  out.shape.insert(out.shape.end(), common.begin(), common.end());
  out.shape.insert(out.shape.end(), a.sizes.begin() + static_cast<std::ptrdiff_t>(after),
                   a.sizes.end());
  const Shape strides = contiguous_strides(a.sizes);
  const std::int64_t outer =
      count_of(Shape(a.sizes.begin(), a.sizes.begin() + static_cast<std::ptrdiff_t>(first)));
  const std::int64_t inner =
      count_of(Shape(a.sizes.begin() + static_cast<std::ptrdiff_t>(after), a.sizes.end()));
  const std::int64_t block = first > 0 ? strides[first - 1] : a.numel();
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t i = 0; i < count_of(common); ++i) {
      std::int64_t place = o * block;
      for (std::size_t k = first; k < after; ++k) {
        std::int64_t row = rows[k][static_cast<std::size_t>(i)];
        row = row < 0 ? row + a.sizes[k] : row;
        if (row < 0 || row >= a.sizes[k])
          fail("index " + std::to_string(row) + " is outside " + to_text(a.sizes));
        place += row * strides[k];
      }
      for (std::int64_t n = 0; n < inner; ++n)
        out.places.push_back(static_cast<std::size_t>(place + n));
    }
  }
  return out;
}

}  // namespace detail

inline void add_index_ops(OpTable& ops) {
  using namespace detail;
  const auto rows_of = [](const Array& a, std::int64_t dim, const Values& order) {
    std::vector<std::shared_ptr<Array>> rows;
    for (const double x : order) {
      const auto i = static_cast<std::int64_t>(x);
      select(a, dim, i);  // checks the index
      rows.push_back(std::make_shared<Array>(slice(a, dim, i, i + 1, 1)));
    }
    if (rows.empty()) rows.push_back(std::make_shared<Array>(slice(a, dim, 0, 0, 1)));
    Array out = cat(rows, dim);
    out.dtype = a.dtype;
    return out;
  };
  ops["aten::index_select"] = [rows_of](OpCall& c) {
    c.give(rows_of(c.tensor(0), c.integer(1), c.tensor(2).values()));
  };
  ops["aten::flip"] = [rows_of](OpCall& c) {
    Array out = c.tensor(0);
    for (const std::int64_t d : c.ints(1)) {
      Values order;
      for (std::int64_t i = out.sizes[out.wrap(d)]; i-- > 0;)
        order.push_back(static_cast<double>(i));
      out = rows_of(out, d, order);
    }
    c.give(Array::make(out.values(), out.sizes, out.dtype));
  };
  ops["aten::roll"] = [rows_of](OpCall& c) {
    const Shape dims = c.ints(2), shifts = c.ints(1), shape = c.tensor(0).sizes;
    Array out = dims.empty() ? reshape(c.tensor(0), {-1}) : c.tensor(0);
    for (std::size_t k = 0; k < shifts.size(); ++k) {
      const std::int64_t d = dims.empty() ? 0 : dims[k], n = out.sizes[out.wrap(d)];
      Values order;
      for (std::int64_t i = 0; i < n; ++i)
        order.push_back(static_cast<double>(((i - shifts[k]) % n + n) % n));
      out = rows_of(out, d, order);
    }
    c.give(Array::make(out.values(), shape, out.dtype));
  };
  const auto add_rows = [](OpCall& c, bool add) {
    const Array& a = c.tensor(0);
    const Values rows = c.tensor(2).values();
    const Array& source = c.tensor(3);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Array row = select(a, c.integer(1), static_cast<std::int64_t>(rows[i]));
      Values values = select(source, c.integer(1), static_cast<std::int64_t>(i)).values();
      const Values old = row.values();
      for (std::size_t k = 0; add && k < values.size(); ++k)
        values[k] = old[k] + c.number(4, 1.0) * values[k];
      row.assign(values);
    }
    c.give(c.shared(0));
  };
  ops["aten::index_copy_"] = [add_rows](OpCall& c) { add_rows(c, false); };
  ops["aten::index_add_"] = [add_rows](OpCall& c) { add_rows(c, true); };
  ops["aten::index.Tensor"] = [](OpCall& c) {
    const Picked picked = pick(c.tensor(0), c.tensors(1));
    const Values from = c.tensor(0).values();
    Values values;
    for (const std::size_t place : picked.places) values.push_back(from[place]);
    c.give(Array::make(std::move(values), picked.shape, c.tensor(0).dtype));
  };
  ops["aten::index_put_"] = [](OpCall& c) {
    const Picked picked = pick(c.tensor(0), c.tensors(1));
    const Values from = c.tensor(2).expand(picked.shape).values();
    Values values = c.tensor(0).values();
    for (std::size_t i = 0; i < from.size(); ++i) {
      double& x = values[picked.places[i]];
      x = c.flag(3, false) ? x + from[i] : from[i];
    }
    c.tensor(0).assign(values);
    c.give(c.shared(0));
  };
  ops["aten::masked_select"] = [](OpCall& c) {
    const Shape shape = broadcast(c.tensor(0).sizes, c.tensor(1).sizes);
    const Values from = c.tensor(0).expand(shape).values(),
                 mask = c.tensor(1).expand(shape).values();
    Values values;
    for (std::size_t i = 0; i < from.size(); ++i) {
      if (mask[i] != 0) values.push_back(from[i]);
    }
    const Shape size = {static_cast<std::int64_t>(values.size())};
    c.give(Array::make(std::move(values), size, c.tensor(0).dtype));
  };
  ops["aten::nonzero"] = [](OpCall& c) {
    const Array& a = c.tensor(0);
    const Values from = a.values();
    const Shape strides = contiguous_strides(a.sizes);
    Values places;
    for (std::size_t i = 0; i < from.size(); ++i) {
      for (std::size_t d = 0; from[i] != 0 && d < a.dim(); ++d) {
        places.push_back(
            static_cast<double>(static_cast<std::int64_t>(i) / strides[d] % a.sizes[d]));
      }
    }
    const auto rows = static_cast<std::int64_t>(places.size() / std::max<std::size_t>(a.dim(), 1));
    c.give(Array::make(std::move(places), {rows, static_cast<std::int64_t>(a.dim())}, VISSL_I64));
  };
  ops["aten::gather"] = [](OpCall& c) {
    const Array &a = c.tensor(0), &index = c.tensor(2);
    const Values from = a.values();
    Values values(static_cast<std::size_t>(index.numel()));
    each_indexed(index, a.sizes, a.wrap(c.integer(1)),
                 [&](std::size_t i, std::size_t place) { values[i] = from[place]; });
    c.give(Array::make(std::move(values), index.sizes, a.dtype));
  };
  const auto scatter = [](OpCall& c, bool add, bool tensor) {
    const Array &a = c.tensor(0), &index = c.tensor(2);
    Values values = a.values();
    const Shape strides = tensor ? contiguous_strides(c.tensor(3).sizes) : Shape();
    const Values from = tensor ? c.tensor(3).values() : Values();
    const Shape own = contiguous_strides(index.sizes);
    each_indexed(index, a.sizes, a.wrap(c.integer(1)), [&](std::size_t i, std::size_t place) {
      std::int64_t source = 0;
      for (std::size_t d = 0; tensor && d < own.size(); ++d) {
        source += static_cast<std::int64_t>(i) / own[d] % index.sizes[d] * strides[d];
      }
      const double x = tensor ? from[static_cast<std::size_t>(source)] : c.number(3);
      values[place] = add ? values[place] + x : x;
    });
    c.give(Array::make(std::move(values), a.sizes, a.dtype));
  };
  ops["aten::scatter.src"] = [scatter](OpCall& c) { scatter(c, false, true); };
  ops["aten::scatter.value"] = [scatter](OpCall& c) { scatter(c, false, false); };
  ops["aten::scatter_add"] = [scatter](OpCall& c) { scatter(c, true, true); };
  // Rows of `sorted` and of what is searched are paired; one sorted row serves all.
  ops["aten::searchsorted.Tensor"] = [](OpCall& c) {
    const Array &sorted = c.tensor(0), &wanted = c.tensor(1);
    if (c.has(5)) fail("the fake host has no sorter");
    const bool right = c.flag(3, false) || c.text(4, "left") == "right";
    const Values rows = sorted.values(), values = wanted.values();
    const std::int64_t length = sorted.sizes.back();
    Values out;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::int64_t row =
          sorted.dim() == 1 ? 0 : static_cast<std::int64_t>(i) / wanted.sizes.back();
      const auto begin = rows.begin() + row * length, end = begin + length;
      const auto at =
          right ? std::upper_bound(begin, end, values[i]) : std::lower_bound(begin, end, values[i]);
      out.push_back(static_cast<double>(at - begin));
    }
    c.give(Array::make(std::move(out), wanted.sizes, c.flag(2, false) ? VISSL_I32 : VISSL_I64));
  };
}

}  // namespace test
}  // namespace vissl
