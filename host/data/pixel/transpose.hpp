#pragma once
// Transposition of a matrix of bytes: lets passes along a row run as passes down a column, where
// neighbouring bytes take the same steps and the compiler can use whole vectors.
#include <cstddef>
#include <cstdint>

namespace vissl::host::pixel {

// out[c * out_stride + r] = in[r * in_stride + c] for r < rows, c < cols. `in` and `out` must not
// overlap. For an interleaved image, cols = width * channels: each channel of each pixel becomes a
// row of its own.
void transpose_bytes(const std::uint8_t* in, std::ptrdiff_t in_stride, int rows, int cols,
                     std::uint8_t* out, std::ptrdiff_t out_stride);

}  // namespace vissl::host::pixel
