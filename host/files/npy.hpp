#pragma once
// numpy's .npy files of numbers.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "host/files/file_bytes.hpp"
#include "host/files/node.hpp"
#include "host/files/sink.hpp"

namespace vissl::host {

// Reads versions 1 to 3 with bool, integer, float and complex elements. The file stays mapped and
// open as long as the tensor's storage lives; Fortran order gives strides; the other byte order is
// swapped into a copy. Throws Error(Exit::bad_data) "FILE: WHAT (byte N); REMEDY".
TensorRef read_npy(const std::filesystem::path& path);

// What the header of a .npy file says.
struct NpyHeader {
  std::string descr;  // "<f4"; empty for records, whose description is a list
  bool is_fortran = false;
  std::vector<std::int64_t> shape;
  std::uint64_t data_offset = 0;  // of the elements in the file
};

// Reads the header from the file's first bytes; `bytes` may end where the elements begin.
NpyHeader read_npy_header(std::span<const std::byte> bytes, const std::string& name);
// Whether a pickle follows the header instead of elements.
inline bool is_npy_of_objects(const NpyHeader& header) {
  return header.descr == "|O" || header.descr == "O";
}
// The tensor of a header, whose storage is to be set, and the bytes that it needs. Throws
// Error(Exit::bad_data) for elements that are no plain numbers.
struct NpyLayout {
  TensorRef tensor;
  std::uint64_t size_bytes = 0;
  bool is_swapped = false;
};
NpyLayout npy_layout(const NpyHeader& header, const std::string& name);
TensorRef read_npy(const FileBytes& file);

// The header of an array in C order, after which the caller writes the elements. Throws
// Error(Exit::run_failed) for an element type that numpy lacks (bfloat16, 8-bit floats).
void write_npy_header(Sink& sink, DType dtype, const std::vector<std::int64_t>& shape);

// The whole file in one step (see AtomicFile), version 1, C order whatever the strides.
void write_npy(const std::filesystem::path& path, const TensorRef& tensor);

}  // namespace vissl::host
