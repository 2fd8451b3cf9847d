#pragma once
// Small arrays of the data path (labels, indices, masks) and the facts about element types that it
// needs.
#include <vissl/abi.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vissl::host {

// Bytes of one element. Throws Error(run_failed) for a number that is no element type.
std::size_t dtype_bytes(vissl_dtype dtype);
const char* dtype_name(vissl_dtype dtype);  // torch's: "float32"; "?" for a number that is none

// Elements of a shape; throws Error(run_failed) for a negative size, more than 8 dimensions or an
// overflow.
std::int64_t element_count(const std::int64_t* shape, std::uint32_t ndim);
std::string shape_text(const std::int64_t* shape, std::uint32_t ndim);  // "(3, 224, 224)"

// Copies `count` elements, converted as C converts numbers (booleans: not zero). Equal types are
// copied as bytes, other pairs only between bool, integers, float32 and float64; anything else
// throws Error(run_failed).
void convert_elements(const void* from, vissl_dtype from_type, void* to, vissl_dtype to_type,
                      std::int64_t count);

// An array that owns its elements.
class Array {
 public:
  Array() = default;
  explicit Array(const vissl_array& source);  // copies; throws as element_count and dtype_bytes do
  static Array scalar(std::int64_t value);

  vissl_array view() const;  // borrowed until this array changes or moves

 private:
  vissl_dtype dtype_ = VISSL_I64;
  std::uint32_t ndim_ = 0;
  std::int64_t shape_[8] = {};
  std::vector<std::byte> bytes_;
};

}  // namespace vissl::host
