// Sparse tensors made dense.
#include <algorithm>
#include <cstring>

#include "host/files/damage.hpp"
#include "host/files/derived_tensors.hpp"

namespace vissl::host {
namespace {

using Sizes = std::vector<std::int64_t>;

std::vector<std::int64_t> as_indices(const TensorRef& tensor, const std::string& file) {
  const auto bytes = tensor.packed();
  std::vector<std::int64_t> out(static_cast<std::size_t>(tensor.numel()));
  if (tensor.dtype == DType::int64) {
    std::memcpy(out.data(), bytes.data(), bytes.size());
  } else if (tensor.dtype == DType::int32) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      std::int32_t value = 0;
      std::memcpy(&value, bytes.data() + i * sizeof(value), sizeof(value));
      out[i] = value;
    }
  } else {
    throw_damaged(file, "has a sparse tensor whose indices are no integers");
  }
  return out;
}

template <class T>
void add_elements(std::byte* target, const std::byte* source, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    T a;
    T b;
    std::memcpy(&a, target + i * sizeof(T), sizeof(T));
    std::memcpy(&b, source + i * sizeof(T), sizeof(T));
    a = static_cast<T>(a + b);
    std::memcpy(target + i * sizeof(T), &a, sizeof(T));
  }
}

// Entries at the same place add up.
void add(DType dtype, std::byte* target, const std::byte* source, std::size_t count,
         const std::string& file) {
  switch (dtype) {
    case DType::float32:
      return add_elements<float>(target, source, count);
    case DType::float64:
      return add_elements<double>(target, source, count);
    case DType::complex64:
      return add_elements<float>(target, source, 2 * count);
    case DType::complex128:
      return add_elements<double>(target, source, 2 * count);
    case DType::uint8:
    case DType::int8:
      return add_elements<std::uint8_t>(target, source, count);
    case DType::int16:
      return add_elements<std::uint16_t>(target, source, count);
    case DType::int32:
      return add_elements<std::uint32_t>(target, source, count);
    case DType::int64:
      return add_elements<std::uint64_t>(target, source, count);
    default:
      throw_damaged(file,
                    "has a sparse tensor with several entries at one place; save it after "
                    "coalesce()");
  }
}

std::size_t unsigned_size(std::int64_t size) {
  return static_cast<std::size_t>(size);
}

std::shared_ptr<Storage> zeros(std::uint64_t size) {
  auto storage = Storage::allocate(size);
  std::ranges::fill(storage->writable(), std::byte{0});
  return storage;
}

// indices (d, n); values (n, rest of the shape).
std::shared_ptr<Storage> dense_of_coo(const SparseParts& parts, std::uint64_t size) {
  const TensorRef& values = parts.tensors[1];
  const auto indices = as_indices(parts.tensors[0], parts.file);
  const auto bytes = values.packed();
  const std::size_t rank = unsigned_size(parts.tensors[0].shape[0]);
  const std::size_t entries = unsigned_size(parts.tensors[0].shape[1]);
  const std::size_t unit = size_bytes(values.dtype);
  std::size_t block = 1;
  for (std::size_t d = rank; d < parts.shape.size(); ++d) block *= unsigned_size(parts.shape[d]);
  auto storage = zeros(size);
  std::byte* out = storage->writable().data();
  std::vector<bool> is_set(block == 0 ? 0 : size / unit / block);
  for (std::size_t e = 0; e < entries && block != 0; ++e) {
    std::size_t place = 0;
    for (std::size_t d = 0; d < rank; ++d) {
      const std::int64_t index = indices[d * entries + e];
      if (index < 0 || index >= parts.shape[d]) {
        throw_damaged(parts.file, "has a sparse tensor with an index outside its shape");
      }
      place = place * unsigned_size(parts.shape[d]) + unsigned_size(index);
    }
    std::byte* target = out + place * block * unit;
    const std::byte* source = bytes.data() + e * block * unit;
    if (is_set[place]) {
      add(values.dtype, target, source, block, parts.file);
    } else {
      std::memcpy(target, source, block * unit);
    }
    is_set[place] = true;
  }
  return storage;
}

// compressed (lines + 1), plain (n), values (n[, block rows, block columns]); lines are rows, or
// columns for csc and bsc.
std::shared_ptr<Storage> dense_of_compressed(const SparseParts& parts, std::uint64_t size) {
  const TensorRef& values = parts.tensors[2];
  const auto compressed = as_indices(parts.tensors[0], parts.file);
  const auto plain = as_indices(parts.tensors[1], parts.file);
  const auto bytes = values.packed();
  const bool is_by_column =
      parts.layout == "torch.sparse_csc" || parts.layout == "torch.sparse_bsc";
  const std::size_t unit = size_bytes(values.dtype);
  const std::int64_t rows = values.shape.size() == 3 ? values.shape[1] : 1;
  const std::int64_t columns = values.shape.size() == 3 ? values.shape[2] : 1;
  const std::int64_t across = is_by_column ? parts.shape[0] / rows : parts.shape[1] / columns;
  const auto bad = [&parts](const char* what) {
    throw_damaged(parts.file, std::string("has a sparse tensor with ") + what);
  };
  if (compressed.front() != 0 || compressed.back() != static_cast<std::int64_t>(plain.size())) {
    bad("offsets that do not fit its entries");
  }
  auto storage = zeros(size);
  std::byte* out = storage->writable().data();
  for (std::size_t line = 0; line + 1 < compressed.size(); ++line) {
    if (compressed[line] > compressed[line + 1]) bad("offsets that descend");
    // Offsets that rise here may yet descend later, to a last one that fits.
    if (compressed[line + 1] > compressed.back()) bad("offsets that do not fit its entries");
    std::int64_t before = -1;
    for (std::int64_t e = compressed[line]; e < compressed[line + 1]; ++e) {
      const std::int64_t index = plain[unsigned_size(e)];
      if (index < 0 || index >= across) bad("an index outside its shape");
      if (index <= before) bad("indices that do not ascend");
      before = index;
      const auto block_row = (is_by_column ? index : static_cast<std::int64_t>(line)) * rows;
      const auto block_column = (is_by_column ? static_cast<std::int64_t>(line) : index) * columns;
      for (std::int64_t r = 0; r < rows; ++r) {
        std::memcpy(out + unsigned_size((block_row + r) * parts.shape[1] + block_column) * unit,
                    bytes.data() + unsigned_size((e * rows + r) * columns) * unit,
                    unsigned_size(columns) * unit);
      }
    }
  }
  return storage;
}

bool is_coo_form(const SparseParts& parts) {
  const Sizes& indices = parts.tensors[0].shape;
  const Sizes& values = parts.tensors[1].shape;
  if (indices.size() != 2 || values.empty() || values[0] != indices[1]) return false;
  const std::size_t rank = unsigned_size(indices[0]);
  return rank <= parts.shape.size() && values.size() == 1 + parts.shape.size() - rank &&
         std::equal(values.begin() + 1, values.end(),
                    parts.shape.begin() + static_cast<std::ptrdiff_t>(rank));
}

bool is_compressed_form(const SparseParts& parts) {
  constexpr std::string_view kLayouts[] = {"torch.sparse_csr", "torch.sparse_csc",
                                           "torch.sparse_bsr", "torch.sparse_bsc"};
  if (std::ranges::find(kLayouts, parts.layout) == std::end(kLayouts)) return false;
  const Sizes& values = parts.tensors[2].shape;
  const bool is_blocked = parts.layout == "torch.sparse_bsr" || parts.layout == "torch.sparse_bsc";
  if (parts.shape.size() != 2 || parts.tensors[0].shape.size() != 1 ||
      parts.tensors[1].shape.size() != 1 || values.size() != (is_blocked ? 3u : 1u) ||
      values[0] != parts.tensors[1].shape[0]) {
    return false;
  }
  const std::int64_t rows = is_blocked ? values[1] : 1;
  const std::int64_t columns = is_blocked ? values[2] : 1;
  if (rows < 1 || columns < 1 || parts.shape[0] % rows != 0 || parts.shape[1] % columns != 0) {
    return false;
  }
  const bool is_by_column =
      parts.layout == "torch.sparse_csc" || parts.layout == "torch.sparse_bsc";
  const std::int64_t lines = is_by_column ? parts.shape[1] / columns : parts.shape[0] / rows;
  return parts.tensors[0].shape[0] == lines + 1;
}

}  // namespace

std::optional<TensorRef> densified(const SparseParts& parts, std::uint64_t largest_bytes) {
  const bool is_coo = parts.layout == "torch.sparse_coo";
  const DType dtype = parts.tensors.back().dtype;
  std::uint64_t size = size_bytes(dtype);
  for (const std::int64_t length : parts.shape) {
    if (length < 0 || __builtin_mul_overflow(size, static_cast<std::uint64_t>(length), &size)) {
      return std::nullopt;
    }
  }
  if (size > largest_bytes) return std::nullopt;
  if (is_coo ? !is_coo_form(parts) : !is_compressed_form(parts)) return std::nullopt;
  TensorRef tensor = TensorRef::contiguous(dtype, parts.shape, nullptr);
  tensor.storage = Storage::lazy(size, [parts, size, is_coo] {
    return is_coo ? dense_of_coo(parts, size) : dense_of_compressed(parts, size);
  });
  return tensor;
}

}  // namespace vissl::host
