#pragma once
// numpy's codes of element types.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "host/files/dtype.hpp"

namespace vissl::host {

struct NumpyCode {
  DType dtype;
  std::string_view code;  // without the byte order
};

inline constexpr std::array kNumpyCodes = {
    NumpyCode{DType::boolean, "b1"},   NumpyCode{DType::uint8, "u1"},
    NumpyCode{DType::uint16, "u2"},    NumpyCode{DType::uint32, "u4"},
    NumpyCode{DType::uint64, "u8"},    NumpyCode{DType::int8, "i1"},
    NumpyCode{DType::int16, "i2"},     NumpyCode{DType::int32, "i4"},
    NumpyCode{DType::int64, "i8"},     NumpyCode{DType::float16, "f2"},
    NumpyCode{DType::float32, "f4"},   NumpyCode{DType::float64, "f8"},
    NumpyCode{DType::complex64, "c8"}, NumpyCode{DType::complex128, "c16"},
};

// Null for a code of other things than numbers.
inline const NumpyCode* numpy_code(std::string_view code) {
  const auto* found = std::ranges::find(kNumpyCodes, code, &NumpyCode::code);
  return found == kNumpyCodes.end() ? nullptr : found;
}

// Of an array whose first index runs fastest.
inline std::vector<std::int64_t> fortran_strides(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides;
  std::int64_t stride = 1;
  for (const std::int64_t size : shape) {
    strides.push_back(stride);
    stride *= std::max<std::int64_t>(size, 1);
  }
  return strides;
}

}  // namespace vissl::host
