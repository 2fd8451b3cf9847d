#pragma once
// The element types of safetensors.
#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "host/files/dtype.hpp"

namespace vissl::host {

struct SafetensorsType {
  std::string_view name;
  std::uint64_t bits;          // of one element
  std::optional<DType> dtype;  // none: torch lacks it
};

// In ascending order of the format's own sizes, which is how its writer sorts tensors.
inline constexpr std::array kSafetensorsTypes = {
    SafetensorsType{"BOOL", 8, DType::boolean},
    SafetensorsType{"F4", 4, DType::float4_e2m1fn_x2},
    SafetensorsType{"F6_E2M3", 6, std::nullopt},
    SafetensorsType{"F6_E3M2", 6, std::nullopt},
    SafetensorsType{"U8", 8, DType::uint8},
    SafetensorsType{"I8", 8, DType::int8},
    SafetensorsType{"F8_E5M2", 8, DType::float8_e5m2},
    SafetensorsType{"F8_E4M3", 8, DType::float8_e4m3fn},
    SafetensorsType{"F8_E8M0", 8, DType::float8_e8m0fnu},
    SafetensorsType{"F8_E4M3FNUZ", 8, DType::float8_e4m3fnuz},
    SafetensorsType{"F8_E5M2FNUZ", 8, DType::float8_e5m2fnuz},
    SafetensorsType{"I16", 16, DType::int16},
    SafetensorsType{"U16", 16, DType::uint16},
    SafetensorsType{"F16", 16, DType::float16},
    SafetensorsType{"BF16", 16, DType::bfloat16},
    SafetensorsType{"I32", 32, DType::int32},
    SafetensorsType{"U32", 32, DType::uint32},
    SafetensorsType{"F32", 32, DType::float32},
    SafetensorsType{"C64", 64, DType::complex64},
    SafetensorsType{"F64", 64, DType::float64},
    SafetensorsType{"I64", 64, DType::int64},
    SafetensorsType{"U64", 64, DType::uint64},
};

// Null for an unknown name.
inline const SafetensorsType* safetensors_type(std::string_view name) {
  const auto* found = std::ranges::find(kSafetensorsTypes, name, &SafetensorsType::name);
  return found == kSafetensorsTypes.end() ? nullptr : found;
}

}  // namespace vissl::host
