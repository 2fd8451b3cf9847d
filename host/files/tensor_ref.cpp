#include <cstring>
#include <string>

#include "host/files/error.hpp"
#include "host/files/node.hpp"

namespace vissl::host {
namespace {

// C++ gives a bool of any other byte than 0 and 1 no meaning.
void normalise_truth(DType dtype, std::vector<std::byte>& bytes) {
  if (dtype != DType::boolean) return;
  for (std::byte& b : bytes) b = b == std::byte{0} ? std::byte{0} : std::byte{1};
}

}  // namespace

TensorRef TensorRef::contiguous(DType dtype, std::vector<std::int64_t> shape,
                                std::shared_ptr<Storage> storage) {
  TensorRef tensor;
  tensor.dtype = dtype;
  tensor.strides.resize(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    tensor.strides[i] = stride;
    // torch gives a dimension of size 0 the stride of a dimension of size 1.
    // Beside a size of 0 others may be of any size: their strides are never used.
    if (__builtin_mul_overflow(stride, shape[i] == 0 ? 1 : shape[i], &stride)) stride = 0;
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
  // A view may repeat a few bytes beyond any memory.
  constexpr std::uint64_t kLargestRepetition = std::uint64_t{4} << 30;
  std::size_t needed = 0;
  if (__builtin_mul_overflow(count, element, &needed) ||
      (needed > storage->size_bytes() && needed > kLargestRepetition)) {
    throw Error(Exit::bad_data, "a tensor repeats the " + std::to_string(storage->size_bytes()) +
                                    " bytes of its storage to more than " +
                                    std::to_string(kLargestRepetition) +
                                    " bytes; save the tensor that it is expanded from");
  }
  std::vector<std::byte> out(needed);
  if (count == 0) return out;
  const std::byte* base = storage->bytes().data() + static_cast<std::size_t>(offset) * element;
  if (is_contiguous()) {
    std::memcpy(out.data(), base, out.size());
    normalise_truth(dtype, out);
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
  normalise_truth(dtype, out);
  return out;
}

}  // namespace vissl::host
