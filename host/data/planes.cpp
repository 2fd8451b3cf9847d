#include "host/data/planes.hpp"

#include <algorithm>
#include <string>

#include "host/files/counted.hpp"
#include "host/files/error.hpp"

namespace vissl::host {
namespace {

struct Affine {
  float mean, std;
};

Affine affine_of(std::size_t channel, const double* mean, const double* std, std::uint32_t count) {
  const std::size_t i = count == 1 ? 0 : channel;
  return {static_cast<float>(mean[i]), static_cast<float>(std[i])};
}

void check_affine(std::int64_t channels, const double* std, std::uint32_t count) {
  if (count != 1 && count != channels) {
    throw Error(Exit::usage, "Normalize has " + counted(count, "mean") + " and the image has " +
                                 counted(channels, "channel") +
                                 "; give one mean and std per channel, or one for all");
  }
  for (std::uint32_t c = 0; c < count; ++c) {
    if (static_cast<float>(std[c]) == 0.0f) {
      throw Error(Exit::usage, "Normalize has a std of 0; give a positive number");
    }
  }
}

}  // namespace

Planes::Planes(std::int64_t width, std::int64_t height, std::int64_t channels)
    : width_(width), height_(height), channels_(channels) {
  std::int64_t count = 0;
  if (width < 1 || height < 1 || channels < 1 || __builtin_mul_overflow(width, height, &count) ||
      __builtin_mul_overflow(count, channels, &count) || count > (std::int64_t{1} << 40)) {
    throw Error(Exit::run_failed, "a float image cannot have " + std::to_string(channels) +
                                      " channels of " + std::to_string(height) + " x " +
                                      std::to_string(width) + " values");
  }
  data_ = std::make_unique_for_overwrite<float[]>(static_cast<std::size_t>(count));
}

Planes Planes::clone() const {
  Planes copy(width_, height_, channels_);
  std::copy_n(data_.get(), count(), copy.data_.get());
  return copy;
}

void Planes::normalize(const double* mean, const double* std, std::uint32_t channels) {
  check_affine(channels_, std, channels);
  const std::int64_t plane = width_ * height_;
  float* x = data_.get();
  for (std::int64_t c = 0; c < channels_; ++c) {
    const Affine affine = affine_of(static_cast<std::size_t>(c), mean, std, channels);
    for (const float* end = x + plane; x != end; ++x) *x = (*x - affine.mean) / affine.std;
  }
}

void Planes::flip(bool vertical) {
  for (std::int64_t c = 0; c < channels_; ++c) {
    float* plane = data_.get() + c * width_ * height_;
    if (vertical) {
      for (std::int64_t y = 0; y < height_ / 2; ++y) {
        std::swap_ranges(plane + y * width_, plane + (y + 1) * width_,
                         plane + (height_ - 1 - y) * width_);
      }
    } else {
      for (std::int64_t y = 0; y < height_; ++y) {
        std::reverse(plane + y * width_, plane + (y + 1) * width_);
      }
    }
  }
}

}  // namespace vissl::host
