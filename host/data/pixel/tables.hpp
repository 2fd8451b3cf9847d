#pragma once
// From bytes to floats: one table of 256 values per channel stands for ToTensor and whatever map of
// single values follows it, such as Normalize, so that each pixel costs one look-up and the result
// is exact by construction.
#include <array>
#include <cstddef>
#include <span>

#include "host/data/pixel/image.hpp"

namespace vissl::host::pixel {

struct Tables {
  int channels = 0;                               // 1 or 3
  std::array<std::array<float, 256>, 3> value{};  // [channel][byte]
};

// torchvision's ToTensor: v / 255 in single precision.
Tables to_tensor_tables(int channels);

// Normalize after it: (value - mean) / std in single precision, in torch's order. One entry per
// channel of the tables, or one for all; throws if the counts do not fit or a std is 0.
void normalize_tables(Tables& tables, std::span<const double> mean, std::span<const double> std);

// out[c * channel_stride + y * row_stride + x] = table of channel c at the pixel (y, x). Strides
// count floats. The image must have as many channels as the tables (else throws).
void write_chw(const View& image, const Tables& tables, float* out, std::ptrdiff_t channel_stride,
               std::ptrdiff_t row_stride);

}  // namespace vissl::host::pixel
