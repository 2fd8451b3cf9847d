#include "host/data/pixel/blur.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "host/data/pixel/transpose.hpp"
#include "host/data/pixel/vector_clones.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

VISSL_PIXEL_STRICT_FLOATS

namespace vissl::host::pixel {
namespace {

constexpr int kPasses = 3;

// Radius of the box whose three-fold convolution has the variance of the Gaussian (Gwosdek et al.,
// 2011, equations 7, 11 and 14), in Pillow's mixture of precisions.
float box_radius(float sigma) {
  const float variance = sigma * sigma / static_cast<float>(kPasses);
  const float length = static_cast<float>(std::sqrt(12.0 * static_cast<double>(variance) + 1.0));
  const float whole = static_cast<float>(std::floor((static_cast<double>(length) - 1.0) / 2.0));
  float part = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance);
  part /= 6 * (variance - (whole + 1) * (whole + 1));
  return whole + part;
}

// A box of 2 * radius + 1 whole pixels and a part of one more on each side, in 24-bit fixed point.
struct BoxKernel {
  int radius;
  std::uint32_t whole;  // weight of each whole pixel
  std::uint32_t part;   // weight of each of the two outer pixels

  explicit BoxKernel(float box) : radius(static_cast<int>(box)) {
    whole = static_cast<std::uint32_t>(static_cast<float>(1 << 24) / (box * 2 + 1));
    part = ((1u << 24) - (static_cast<std::uint32_t>(radius) * 2 + 1) * whole) / 2;
  }
};

// One step down the columns: moves each sum by one element and writes its mean.
[[gnu::always_inline]] inline void step(std::uint32_t* __restrict sum,
                                        const std::uint8_t* __restrict leaving,
                                        const std::uint8_t* __restrict entering,
                                        const std::uint8_t* __restrict next,
                                        std::uint8_t* __restrict out, int lanes,
                                        const BoxKernel& box) {
  for (int i = 0; i < lanes; ++i) {
    sum[i] += static_cast<std::uint32_t>(entering[i]) - static_cast<std::uint32_t>(leaving[i]);
    const std::uint32_t outer = static_cast<std::uint32_t>(leaving[i]) + next[i];
    out[i] = static_cast<std::uint8_t>((sum[i] * box.whole + outer * box.part + (1u << 23)) >> 24);
  }
}

// Blurs each of `lanes` columns of a plane of `length` elements that lie `stride` bytes apart.
// Outside the plane its first and last element go on.
VISSL_PIXEL_CLONES
void box_columns_plain(const std::uint8_t* in, std::uint8_t* out, std::ptrdiff_t stride, int length,
                       int lanes, const BoxKernel& box) {
  const std::unique_ptr<std::uint32_t[]> sums(new std::uint32_t[static_cast<std::size_t>(lanes)]);
  std::uint32_t* sum = sums.get();
  const auto row = [&](std::int64_t k) {
    return in + std::clamp<std::int64_t>(k, 0, length - 1) * stride;
  };
  // The sum around element -1: the first element radius + 1 times, then elements 0 to radius - 1.
  const std::uint32_t before = static_cast<std::uint32_t>(box.radius) + 1;
  for (int i = 0; i < lanes; ++i) sum[i] = in[i] * before;
  const int inside = std::min(box.radius, length);
  for (int k = 0; k < inside; ++k) {
    for (int i = 0; i < lanes; ++i) sum[i] += in[k * stride + i];
  }
  const std::uint32_t beyond = static_cast<std::uint32_t>(box.radius - inside);
  const std::uint8_t* last = row(length - 1);
  for (int i = 0; i < lanes; ++i) sum[i] += last[i] * beyond;

  for (int k = 0; k < length; ++k) {
    step(sum, row(std::int64_t{k} - box.radius - 1), row(std::int64_t{k} + box.radius),
         row(std::int64_t{k} + box.radius + 1), out + k * stride, lanes, box);
  }
}

#if defined(__x86_64__)

// The same for radius <= kMaxShortRadius and lanes >= 16, whose sums fit 16 bits: weights in two
// halves of 12 bits, so that one instruction multiplies and adds a sum and its outer pair; a sum
// stays in its register all the way down.
constexpr int kMaxShortRadius = 63;

__attribute__((target("avx2"))) inline __m256i widen(const std::uint8_t* bytes) {
  return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)));
}

// Of 8 pairs (sum, outer): round((sum * whole + outer * part) / 2^24).
__attribute__((target("avx2"))) inline __m256i weigh(__m256i pairs, __m256i high, __m256i low) {
  const __m256i half = _mm256_set1_epi32(1 << 23);
  const __m256i upper = _mm256_slli_epi32(_mm256_madd_epi16(pairs, high), 12);
  const __m256i lower = _mm256_add_epi32(_mm256_madd_epi16(pairs, low), half);
  return _mm256_srli_epi32(_mm256_add_epi32(upper, lower), 24);
}

__attribute__((target("avx2"))) void box_columns_avx2(const std::uint8_t* in, std::uint8_t* out,
                                                      std::ptrdiff_t stride, int length, int lanes,
                                                      const BoxKernel& box) {
  const int radius = box.radius;
  const __m256i high = _mm256_set1_epi32(static_cast<int>(box.part >> 12 << 16 | box.whole >> 12));
  const __m256i low =
      _mm256_set1_epi32(static_cast<int>((box.part & 4095) << 16 | (box.whole & 4095)));
  for (int lane = 0; lane < lanes; lane += 16) {
    const int at = std::min(lane, lanes - 16);  // the last ones may be made twice
    const std::uint8_t* column = in + at;
    const auto row = [=](int k) { return column + std::clamp(k, 0, length - 1) * stride; };
    __m256i sum = _mm256_setzero_si256();
    for (int k = -radius - 1; k < radius; ++k) sum = _mm256_add_epi16(sum, widen(row(k)));
    __m256i entering = widen(row(radius));
    for (int k = 0; k < length; ++k) {
      const __m256i leaving = widen(row(k - radius - 1));
      const __m256i next = widen(row(k + radius + 1));
      sum = _mm256_add_epi16(sum, _mm256_sub_epi16(entering, leaving));
      const __m256i outer = _mm256_add_epi16(leaving, next);
      const __m256i first = weigh(_mm256_unpacklo_epi16(sum, outer), high, low);
      const __m256i second = weigh(_mm256_unpackhi_epi16(sum, outer), high, low);
      const __m256i words = _mm256_packus_epi32(first, second);
      const __m128i bytes =
          _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out + k * stride + at), bytes);
      entering = next;
    }
  }
}

#endif

void box_columns(const std::uint8_t* in, std::uint8_t* out, std::ptrdiff_t stride, int length,
                 int lanes, const BoxKernel& box) {
#if defined(__x86_64__)
  static const bool has_avx2 = __builtin_cpu_supports("avx2");
  if (has_avx2 && box.radius <= kMaxShortRadius && lanes >= 16) {
    return box_columns_avx2(in, out, stride, length, lanes, box);
  }
#endif
  box_columns_plain(in, out, stride, length, lanes, box);
}

}  // namespace

void gaussian_blur(Pixels& image, double radius) {
  const float sigma = static_cast<float>(radius);
  if (!(sigma >= 0.0f && sigma < 1e6f)) {
    refuse("the radius of a blur is at least 0", image.width(), image.height());
  }
  const float size = box_radius(sigma);
  if (sigma == 0.0f || size == 0.0f) return;
  const BoxKernel box(size);
  const int width = image.width(), height = image.height(), channels = image.channels();
  const int row_bytes = static_cast<int>(image.row_bytes());
  // Rows of the transposed image start on a vector.
  const std::ptrdiff_t lanes = (std::ptrdiff_t{height} + 63) / 64 * 64;
  Scratch first(static_cast<std::size_t>(lanes * row_bytes));
  Scratch second(static_cast<std::size_t>(lanes * row_bytes));

  transpose_bytes(image.data(), row_bytes, height, row_bytes, first.data(), lanes);
  std::uint8_t* from = first.data();
  std::uint8_t* to = second.data();
  for (int pass = 0; pass < kPasses; ++pass) {
    for (int c = 0; c < channels; ++c) {
      box_columns(from + c * lanes, to + c * lanes, lanes * channels, width, height, box);
    }
    std::swap(from, to);
  }
  // Back in rows of the image, packed, with the other buffer as the second of the pair.
  transpose_bytes(from, lanes, row_bytes, height, image.data(), row_bytes);
  box_columns(image.data(), first.data(), row_bytes, height, row_bytes, box);
  box_columns(first.data(), second.data(), row_bytes, height, row_bytes, box);
  box_columns(second.data(), image.data(), row_bytes, height, row_bytes, box);
}

}  // namespace vissl::host::pixel
