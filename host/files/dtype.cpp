#include "host/files/dtype.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace vissl::host {
namespace {

constexpr std::array kFacts = {
    DTypeFacts{DType::uint8, "uint8", 1, 1, "ByteStorage"},
    DTypeFacts{DType::int8, "int8", 1, 1, "CharStorage"},
    DTypeFacts{DType::int16, "int16", 2, 2, "ShortStorage"},
    DTypeFacts{DType::int32, "int32", 4, 4, "IntStorage"},
    DTypeFacts{DType::int64, "int64", 8, 8, "LongStorage"},
    DTypeFacts{DType::float16, "float16", 2, 2, "HalfStorage"},
    DTypeFacts{DType::float32, "float32", 4, 4, "FloatStorage"},
    DTypeFacts{DType::float64, "float64", 8, 8, "DoubleStorage"},
    DTypeFacts{DType::complex32, "complex32", 4, 2, ""},
    DTypeFacts{DType::complex64, "complex64", 8, 4, "ComplexFloatStorage"},
    DTypeFacts{DType::complex128, "complex128", 16, 8, "ComplexDoubleStorage"},
    DTypeFacts{DType::boolean, "bool", 1, 1, "BoolStorage"},
    DTypeFacts{DType::qint8, "qint8", 1, 1, "QInt8Storage"},
    DTypeFacts{DType::quint8, "quint8", 1, 1, "QUInt8Storage"},
    DTypeFacts{DType::qint32, "qint32", 4, 4, "QInt32Storage"},
    DTypeFacts{DType::bfloat16, "bfloat16", 2, 2, "BFloat16Storage"},
    DTypeFacts{DType::quint4x2, "quint4x2", 1, 1, "QUInt4x2Storage"},
    DTypeFacts{DType::quint2x4, "quint2x4", 1, 1, "QUInt2x4Storage"},
    DTypeFacts{DType::float8_e5m2, "float8_e5m2", 1, 1, ""},
    DTypeFacts{DType::float8_e4m3fn, "float8_e4m3fn", 1, 1, ""},
    DTypeFacts{DType::float8_e5m2fnuz, "float8_e5m2fnuz", 1, 1, ""},
    DTypeFacts{DType::float8_e4m3fnuz, "float8_e4m3fnuz", 1, 1, ""},
    DTypeFacts{DType::uint16, "uint16", 2, 2, ""},
    DTypeFacts{DType::uint32, "uint32", 4, 4, ""},
    DTypeFacts{DType::uint64, "uint64", 8, 8, ""},
    DTypeFacts{DType::float8_e8m0fnu, "float8_e8m0fnu", 1, 1, ""},
    DTypeFacts{DType::float4_e2m1fn_x2, "float4_e2m1fn_x2", 1, 1, ""},
};

}  // namespace

const DTypeFacts& facts(DType dtype) {
  const auto* found = std::ranges::find(kFacts, dtype, &DTypeFacts::dtype);
  if (found == kFacts.end()) throw std::out_of_range("no element type has this number");
  return *found;
}

std::optional<DType> dtype_by_name(std::string_view name) {
  const auto* found = std::ranges::find(kFacts, name, &DTypeFacts::name);
  if (found == kFacts.end()) return std::nullopt;
  return found->dtype;
}

std::optional<DType> dtype_by_storage_class(std::string_view storage_class) {
  if (storage_class.empty()) return std::nullopt;
  const auto* found = std::ranges::find(kFacts, storage_class, &DTypeFacts::storage_class);
  if (found == kFacts.end()) return std::nullopt;
  return found->dtype;
}

}  // namespace vissl::host
