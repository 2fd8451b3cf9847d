#pragma once
// 8-bit images of the data engine: interleaved rows (height, width, channels), top row first, with
// 1 channel (gray), 3 channels (RGB) or 4 channels (treated alike; alpha is never premultiplied).
#include <cstddef>
#include <cstdint>
#include <memory>

namespace vissl::host::pixel {

// Thrown (as host::Error) by functions below when a size or a window is impossible.
[[noreturn]] void refuse(const char* what, int width, int height);

// A read-only window onto interleaved 8-bit rows. It owns nothing: the pixels must outlive it.
struct View {
  const std::uint8_t* data = nullptr;
  int width = 0;              // pixels
  int height = 0;             // rows
  int channels = 0;           // bytes per pixel
  std::ptrdiff_t stride = 0;  // bytes from one row to the next

  const std::uint8_t* row(int y) const { return data + y * stride; }
  std::ptrdiff_t row_bytes() const { return std::ptrdiff_t{width} * channels; }
  // The window's pixels, not copied. Throws if it is empty or leaves the image.
  View crop(int top, int left, int crop_height, int crop_width) const;
};

// An owning image with packed rows (stride = width * channels), aligned to 64 bytes. Moves; copies
// only by `clone`.
class Pixels {
 public:
  Pixels() = default;
  // Leaves the pixels unset. Throws if a size is below 1 or channels is not 1, 3 or 4.
  Pixels(int width, int height, int channels);
  Pixels(int width, int height, int channels, std::uint8_t fill);
  // Copies the window.
  explicit Pixels(const View& source);

  Pixels(Pixels&&) noexcept = default;
  Pixels& operator=(Pixels&&) noexcept = default;
  Pixels clone() const { return empty() ? Pixels() : Pixels(view()); }

  bool empty() const { return data_ == nullptr; }
  int width() const { return width_; }
  int height() const { return height_; }
  int channels() const { return channels_; }
  std::ptrdiff_t row_bytes() const { return std::ptrdiff_t{width_} * channels_; }
  std::size_t size_bytes() const {
    return static_cast<std::size_t>(row_bytes()) * static_cast<std::size_t>(height_);
  }
  std::uint8_t* data() { return data_.get(); }
  const std::uint8_t* data() const { return data_.get(); }
  std::uint8_t* row(int y) { return data_.get() + y * row_bytes(); }
  const std::uint8_t* row(int y) const { return data_.get() + y * row_bytes(); }

  View view() const { return {data_.get(), width_, height_, channels_, row_bytes()}; }
  operator View() const { return view(); }

 private:
  struct Free {
    void operator()(std::uint8_t* bytes) const noexcept;
  };
  int width_ = 0;
  int height_ = 0;
  int channels_ = 0;
  std::unique_ptr<std::uint8_t[], Free> data_;
};

// Bytes aligned to 64, unset, for the time of one operation.
class Scratch {
 public:
  explicit Scratch(std::size_t size_bytes);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::uint8_t* data() { return data_; }
  const std::uint8_t* data() const { return data_; }

 private:
  std::uint8_t* data_;
};

}  // namespace vissl::host::pixel
