#pragma once
// numpy's .npy files of numbers.
#include <cstdint>
#include <filesystem>
#include <vector>

#include "host/files/node.hpp"
#include "host/files/sink.hpp"

namespace vissl::host {

// Reads versions 1 to 3 with bool, integer, float and complex elements. The file stays mapped and
// open as long as the tensor's storage lives; Fortran order gives strides; the other byte order is
// swapped into a copy. Throws Error(Exit::bad_data) "FILE: WHAT (byte N); REMEDY".
TensorRef read_npy(const std::filesystem::path& path);

// The header of an array in C order, after which the caller writes the elements. Throws
// Error(Exit::run_failed) for an element type that numpy lacks (bfloat16, 8-bit floats).
void write_npy_header(Sink& sink, DType dtype, const std::vector<std::int64_t>& shape);

// The whole file in one step (see AtomicFile), version 1, C order whatever the strides.
void write_npy(const std::filesystem::path& path, const TensorRef& tensor);

}  // namespace vissl::host
