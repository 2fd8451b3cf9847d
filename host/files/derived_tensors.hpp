#pragma once
// Tensors whose bytes do not stand in a file as they are: computed at first touch.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/files/node.hpp"

namespace vissl::host {

// torch's resolve_conj() and resolve_neg() of a view that is marked, not computed.
TensorRef resolved_view(const TensorRef& view, bool is_conjugate, bool is_negative);

// qint8, quint8 or qint32: integers that mean nothing without their scale.
bool is_quantized(DType dtype);

// (q - zero_point) * scale as float32, for the whole tensor or for each index of dimension `axis`.
// `integers` is quantised; scales are float32 or float64, zero points int32 or int64
// or a float type. Wrong sizes and types throw Error(Exit::bad_data) that names `file`, at first
// touch.
TensorRef dequantized(const TensorRef& integers, double scale, std::int64_t zero_point);
TensorRef dequantized(const TensorRef& integers, const TensorRef& scales,
                      const TensorRef& zero_points, std::int64_t axis, const std::string& file);

struct SparseParts {
  std::string layout;              // "torch.sparse_coo", "_csr", "_csc", "_bsr" or "_bsc"
  std::vector<TensorRef> tensors;  // coo: indices (d,n), values; others: compressed, plain, values
  std::vector<std::int64_t> shape;
  std::string file;  // named in errors
};

// None if it would be larger than `largest_bytes`, or has a form that is not supported (batches of
// compressed ones). The indices are checked at first touch: Error(Exit::bad_data).
std::optional<TensorRef> densified(const SparseParts& parts, std::uint64_t largest_bytes);

}  // namespace vissl::host
