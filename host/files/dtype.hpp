#pragma once
// Element types with torch's ScalarType numbers.
#include <cstdint>
#include <optional>
#include <string_view>

namespace vissl::host {

enum class DType : std::int8_t {
  uint8 = 0,
  int8 = 1,
  int16 = 2,
  int32 = 3,
  int64 = 4,
  float16 = 5,
  float32 = 6,
  float64 = 7,
  complex32 = 8,
  complex64 = 9,
  complex128 = 10,
  boolean = 11,
  qint8 = 12,  // quantised: the integers, whose scale stands elsewhere
  quint8 = 13,
  qint32 = 14,
  bfloat16 = 15,
  quint4x2 = 16,  // two elements in one byte
  quint2x4 = 17,  // four
  float8_e5m2 = 23,
  float8_e4m3fn = 24,
  float8_e5m2fnuz = 25,
  float8_e4m3fnuz = 26,
  uint16 = 27,
  uint32 = 28,
  uint64 = 29,
  float8_e8m0fnu = 44,
  float4_e2m1fn_x2 = 45,  // two elements in one byte
};

struct DTypeFacts {
  DType dtype;
  std::string_view name;           // torch's: "float32"
  std::uint8_t size_bytes;         // of one element
  std::uint8_t swap_bytes;         // unit of a byte-order swap: half of size_bytes for complex
  std::string_view storage_class;  // "FloatStorage"; empty: torch saves it as UntypedStorage
};

// Throws std::out_of_range for a number that is no DType.
const DTypeFacts& facts(DType dtype);
inline std::uint64_t size_bytes(DType dtype) {
  return facts(dtype).size_bytes;
}
std::optional<DType> dtype_by_name(std::string_view name);
std::optional<DType> dtype_by_storage_class(std::string_view storage_class);

}  // namespace vissl::host
