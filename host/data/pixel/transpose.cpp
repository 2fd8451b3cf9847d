#include "host/data/pixel/transpose.hpp"

#include <algorithm>
#include <utility>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace vissl::host::pixel {
namespace {

constexpr int kTile = 16;

void transpose_plain(const std::uint8_t* in, std::ptrdiff_t in_stride, int rows, int cols,
                     std::uint8_t* out, std::ptrdiff_t out_stride) {
  for (int c = 0; c < cols; ++c) {
    for (int r = 0; r < rows; ++r) out[c * out_stride + r] = in[r * in_stride + c];
  }
}

void transpose_tile(const std::uint8_t* in, std::ptrdiff_t in_stride, std::uint8_t* out,
                    std::ptrdiff_t out_stride) {
#if defined(__SSE2__)
  // Four rounds; each interleaves row i with row i + 8, which rotates the eight index bits (row,
  // column) by one.
  __m128i a[kTile], b[kTile];
  for (int i = 0; i < kTile; ++i) {
    a[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + i * in_stride));
  }
  const auto round = [](const __m128i* from, __m128i* to) {
    for (int i = 0; i < kTile / 2; ++i) {
      to[2 * i] = _mm_unpacklo_epi8(from[i], from[i + kTile / 2]);
      to[2 * i + 1] = _mm_unpackhi_epi8(from[i], from[i + kTile / 2]);
    }
  };
  round(a, b);
  round(b, a);
  round(a, b);
  round(b, a);
  for (int i = 0; i < kTile; ++i) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i * out_stride), a[i]);
  }
#else
  transpose_plain(in, in_stride, kTile, kTile, out, out_stride);
#endif
}

}  // namespace

void transpose_bytes(const std::uint8_t* in, std::ptrdiff_t in_stride, int rows, int cols,
                     std::uint8_t* out, std::ptrdiff_t out_stride) {
  if (rows < kTile || cols < kTile) {
    transpose_plain(in, in_stride, rows, cols, out, out_stride);
    return;
  }
  // The last tile of each direction is moved back to end at the border, so that no tile is partial.
  for (int r = 0; r < rows; r += kTile) {
    const int top = std::min(r, rows - kTile);
    for (int c = 0; c < cols; c += kTile) {
      const int left = std::min(c, cols - kTile);
      transpose_tile(in + top * in_stride + left, in_stride, out + left * out_stride + top,
                     out_stride);
    }
  }
}

}  // namespace vissl::host::pixel
