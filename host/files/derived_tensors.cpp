#include "host/files/derived_tensors.hpp"

#include <cstring>

#include "host/files/damage.hpp"
#include "host/files/error.hpp"

namespace vissl::host {
namespace {

template <class T>
T element(const std::vector<std::byte>& bytes, std::size_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

// The elements as doubles; int64 beyond 2^53 does not occur among scales and zero points.
std::vector<double> as_doubles(const TensorRef& tensor, const std::string& file) {
  const auto bytes = tensor.packed();
  std::vector<double> out(static_cast<std::size_t>(tensor.numel()));
  for (std::size_t i = 0; i < out.size(); ++i) {
    switch (tensor.dtype) {
      case DType::float32:
        out[i] = double{element<float>(bytes, i)};
        break;
      case DType::float64:
        out[i] = element<double>(bytes, i);
        break;
      case DType::int32:
        out[i] = static_cast<double>(element<std::int32_t>(bytes, i));
        break;
      case DType::int64:
        out[i] = static_cast<double>(element<std::int64_t>(bytes, i));
        break;
      default:
        throw_damaged(file, "has a quantised tensor with scales of a wrong type");
    }
  }
  return out;
}

std::int64_t quantized_element(DType dtype, const std::vector<std::byte>& bytes, std::size_t i) {
  switch (dtype) {
    case DType::qint8:
      return element<std::int8_t>(bytes, i);
    case DType::quint8:
      return element<std::uint8_t>(bytes, i);
    default:
      return element<std::int32_t>(bytes, i);
  }
}

// A tensor of `shape` in C order whose storage comes from `make`.
TensorRef lazy_tensor(DType dtype, const std::vector<std::int64_t>& shape,
                      std::function<std::shared_ptr<Storage>()> make) {
  TensorRef tensor = TensorRef::contiguous(dtype, shape, nullptr);
  const std::uint64_t size = static_cast<std::uint64_t>(tensor.numel()) * size_bytes(dtype);
  tensor.storage = Storage::lazy(size, std::move(make));
  return tensor;
}

void flip_sign(std::span<std::byte> bytes, DType dtype, bool only_imaginary) {
  const std::size_t unit = facts(dtype).swap_bytes;
  const bool is_complex = size_bytes(dtype) != unit;
  const std::size_t step = only_imaginary && is_complex ? 2 * unit : unit;
  const std::size_t first = only_imaginary ? unit : 0;
  if (only_imaginary && !is_complex) return;
  for (std::size_t i = first; i + unit <= bytes.size(); i += step) {
    bytes[i + unit - 1] ^= std::byte{0x80};  // the sign bit of a little-endian float
  }
}

}  // namespace

TensorRef resolved_view(const TensorRef& view, bool is_conjugate, bool is_negative) {
  TensorRef out = lazy_tensor(view.dtype, view.shape, [view, is_conjugate, is_negative] {
    auto storage = Storage::copy_of(view.packed());
    if (is_conjugate) flip_sign(storage->writable(), view.dtype, true);
    if (is_negative) flip_sign(storage->writable(), view.dtype, false);
    return storage;
  });
  out.requires_grad = view.requires_grad;
  return out;
}

bool is_quantized(DType dtype) {
  return dtype == DType::qint8 || dtype == DType::quint8 || dtype == DType::qint32;
}

TensorRef dequantized(const TensorRef& integers, double scale, std::int64_t zero_point) {
  return lazy_tensor(DType::float32, integers.shape, [integers, scale, zero_point] {
    const auto bytes = integers.packed();
    const auto count = static_cast<std::size_t>(integers.numel());
    auto storage = Storage::allocate(count * sizeof(float));
    auto* out = reinterpret_cast<float*>(storage->writable().data());
    for (std::size_t i = 0; i < count; ++i) {
      // A hostile zero point may be the smallest integer there is.
      const auto value = static_cast<std::int64_t>(
          static_cast<std::uint64_t>(quantized_element(integers.dtype, bytes, i)) -
          static_cast<std::uint64_t>(zero_point));
      out[i] = static_cast<float>(scale) * static_cast<float>(value);
    }
    return storage;
  });
}

TensorRef dequantized(const TensorRef& integers, const TensorRef& scales,
                      const TensorRef& zero_points, std::int64_t axis, const std::string& file) {
  return lazy_tensor(DType::float32, integers.shape, [integers, scales, zero_points, axis, file] {
    const std::vector<double> scale = as_doubles(scales, file);
    const std::vector<double> zero = as_doubles(zero_points, file);
    const auto channels = static_cast<std::size_t>(integers.shape[static_cast<std::size_t>(axis)]);
    if (scale.size() != channels || zero.size() != channels) {
      throw_damaged(file, "has a quantised tensor with another number of scales than channels");
    }
    std::size_t inner = 1;
    for (std::size_t d = static_cast<std::size_t>(axis) + 1; d < integers.shape.size(); ++d) {
      inner *= static_cast<std::size_t>(integers.shape[d]);
    }
    const auto bytes = integers.packed();
    const auto count = static_cast<std::size_t>(integers.numel());
    auto storage = Storage::allocate(count * sizeof(float));
    auto* out = reinterpret_cast<float*>(storage->writable().data());
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t channel = i / inner % channels;
      const double value =
          static_cast<double>(quantized_element(integers.dtype, bytes, i)) - zero[channel];
      out[i] = static_cast<float>(scale[channel] * value);  // torch rounds once here
    }
    return storage;
  });
}

}  // namespace vissl::host
