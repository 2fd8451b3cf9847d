#include <cstring>

#include "host/files/node.hpp"

namespace vissl::host {

TensorRef TensorRef::contiguous(DType dtype, std::vector<std::int64_t> shape,
                                std::shared_ptr<Storage> storage) {
  TensorRef tensor;
  tensor.dtype = dtype;
  tensor.strides.resize(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    tensor.strides[i] = stride;
    // torch gives a dimension of size 0 the stride of a dimension of size 1.
    stride *= shape[i] == 0 ? 1 : shape[i];
  }
  tensor.shape = std::move(shape);
  tensor.storage = std::move(storage);
  return tensor;
}

std::int64_t TensorRef::numel() const {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  return count;
}

bool TensorRef::is_contiguous() const {
  std::int64_t expected = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    if (shape[i] == 0) return true;
    if (shape[i] != 1 && strides[i] != expected) return false;
    expected *= shape[i];
  }
  return true;
}

const char* TensorRef::invalid() const {
  if (storage == nullptr) return "a tensor without data";
  if (shape.size() != strides.size()) return "a tensor with another number of strides than sizes";
  if (offset < 0) return "a tensor with a negative offset";
  std::int64_t count = 1;
  std::int64_t last = offset;
  bool is_empty = false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] < 0) return "a tensor with a negative size";
    if (strides[i] < 0) return "a tensor with a negative stride";
    if (shape[i] == 0) {
      is_empty = true;
      continue;
    }
    std::int64_t reach = 0;
    if (__builtin_mul_overflow(count, shape[i], &count) ||
        __builtin_mul_overflow(shape[i] - 1, strides[i], &reach) ||
        __builtin_add_overflow(last, reach, &last)) {
      return "a tensor whose size overflows";
    }
  }
  if (is_empty) return nullptr;
  std::int64_t end_bytes = 0;
  if (__builtin_add_overflow(last, std::int64_t{1}, &last) ||
      __builtin_mul_overflow(last, static_cast<std::int64_t>(size_bytes(dtype)), &end_bytes) ||
      static_cast<std::uint64_t>(end_bytes) > storage->size_bytes()) {
    return "a tensor that reaches beyond its storage";
  }
  return nullptr;
}

std::vector<std::byte> TensorRef::packed() const {
  const auto element = static_cast<std::size_t>(size_bytes(dtype));
  const auto count = static_cast<std::size_t>(numel());
  std::vector<std::byte> out(count * element);
  if (count == 0) return out;
  const std::byte* base = storage->bytes().data() + static_cast<std::size_t>(offset) * element;
  if (is_contiguous()) {
    std::memcpy(out.data(), base, out.size());
    return out;
  }
  std::vector<std::int64_t> index(shape.size(), 0);
  std::int64_t position = 0;  // in elements, from base
  for (std::size_t i = 0; i < count; ++i) {
    std::memcpy(out.data() + i * element, base + static_cast<std::size_t>(position) * element,
                element);
    for (std::size_t d = shape.size(); d-- > 0;) {
      position += strides[d];
      if (++index[d] < shape[d]) break;
      position -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
  return out;
}

}  // namespace vissl::host
