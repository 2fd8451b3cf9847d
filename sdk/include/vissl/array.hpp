#pragma once
// Plain CPU arrays of the data path: labels, indices, masks. A vissl_array borrows its memory.
#include <vissl/error.hpp>

#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

// The element type of T: float, double, bool, or an integer of 8 to 64 bits.
template <class T>
constexpr vissl_dtype dtype_code() {
  if constexpr (std::is_same_v<T, float>) return VISSL_F32;
  if constexpr (std::is_same_v<T, double>) return VISSL_F64;
  if constexpr (std::is_same_v<T, bool>) return VISSL_BOOL;
  if constexpr (std::is_same_v<T, std::uint8_t>) return VISSL_U8;
  if constexpr (std::is_same_v<T, std::int8_t>) return VISSL_I8;
  if constexpr (std::is_same_v<T, std::int16_t>) return VISSL_I16;
  if constexpr (std::is_same_v<T, std::int32_t>) return VISSL_I32;
  if constexpr (std::is_same_v<T, std::int64_t>) return VISSL_I64;
}

// A view of `data`, row-major. At most 8 dimensions; none = a scalar.
template <class T>
vissl_array array_view(const T* data, const std::vector<std::int64_t>& shape) {
  if (shape.size() > 8) fail("an array has at most 8 dimensions");
  vissl_array array = {};
  array.size = sizeof array;
  array.dtype = dtype_code<T>();
  array.ndim = static_cast<std::uint32_t>(shape.size());
  for (std::size_t i = 0; i < shape.size(); ++i) array.shape[i] = shape[i];
  array.data = data;
  return array;
}
// One-dimensional, and a scalar; both borrow the argument.
template <class T>
vissl_array array_view(const std::vector<T>& values) {
  return array_view(values.data(), {static_cast<std::int64_t>(values.size())});
}
template <class T, class = std::enable_if_t<std::is_arithmetic_v<T>>>
vissl_array scalar_view(const T& value) {
  return array_view(&value, {});
}

inline std::vector<std::int64_t> shape_of(const vissl_array& array) {
  return std::vector<std::int64_t>(array.shape, array.shape + array.ndim);
}
inline std::size_t element_count(const vissl_array& array) {
  std::size_t count = 1;
  for (std::uint32_t i = 0; i < array.ndim; ++i) count *= static_cast<std::size_t>(array.shape[i]);
  return count;
}

// All elements, converted to T as a C++ cast does. Half-precision and complex arrays are refused.
template <class T>
std::vector<T> to_vector(const vissl_array& array) {
  const std::size_t count = element_count(array);
  const auto convert = [&](auto like) {
    using From = decltype(like);
    std::vector<T> values(count);
    for (std::size_t i = 0; i < count; ++i) {
      From value;
      std::memcpy(&value, static_cast<const char*>(array.data) + i * sizeof(From), sizeof(From));
      values[i] = static_cast<T>(value);
    }
    return values;
  };
  switch (array.dtype) {
    case VISSL_F32:
      return convert(float{});
    case VISSL_F64:
      return convert(double{});
    case VISSL_BOOL:
    case VISSL_U8:
      return convert(std::uint8_t{});
    case VISSL_I8:
      return convert(std::int8_t{});
    case VISSL_I16:
      return convert(std::int16_t{});
    case VISSL_I32:
      return convert(std::int32_t{});
    case VISSL_I64:
      return convert(std::int64_t{});
    default:
      fail("an array of element type " + std::to_string(array.dtype) + " cannot be read here");
  }
}
// The only element.
template <class T>
T to_scalar(const vissl_array& array) {
  const std::vector<T> values = to_vector<T>(array);
  if (values.size() != 1) fail("expected one number, met " + std::to_string(values.size()));
  return values[0];
}

}  // namespace abi1
}  // namespace vissl
