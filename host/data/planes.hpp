#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

namespace vissl::host {

// A float image (channels, height, width), contiguous. Moves; copies only by `clone`.
class Planes {
 public:
  Planes(std::int64_t width, std::int64_t height,
         std::int64_t channels);  // unset; throws if a size is below 1
  Planes clone() const;

  std::int64_t width() const { return width_; }
  std::int64_t height() const { return height_; }
  std::int64_t channels() const { return channels_; }
  std::size_t count() const { return static_cast<std::size_t>(width_ * height_ * channels_); }
  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }

  // (x - mean[c]) / std[c] in single precision, as torchvision. `channels`: entries of mean and
  // std, one per channel or one for all; another count and a std of 0 throw Error(usage).
  void normalize(const double* mean, const double* std, std::uint32_t channels);
  void flip(bool vertical);

 private:
  std::int64_t width_, height_, channels_;
  std::unique_ptr<float[]> data_;
};

}  // namespace vissl::host
