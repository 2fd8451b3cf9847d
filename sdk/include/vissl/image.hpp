#pragma once
// One picture in the data path; a reference to the host's image. Arithmetic equals Pillow's and
// torchvision's. All functions throw Failure with the host's text, e.g. for a damaged file when
// pixels are needed first. [worker]
#include <vissl/image.h>
#include <vissl/service.hpp>

#include <array>
#include <cstdint>
#include <vector>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

enum class Interpolation : std::uint32_t {
  nearest = VISSL_NEAREST,
  bilinear = VISSL_BILINEAR,
  bicubic = VISSL_BICUBIC,
};

class Image {
 public:
  explicit Image(vissl_image* handle) : handle_(handle) {}
  vissl_image* handle() const noexcept { return handle_; }

  // Reads at most the header of an encoded image.
  vissl_image_info info() const {
    vissl_image_info out = {};
    out.size = sizeof out;
    call(api().info, handle_, &out);
    return out;
  }
  std::int64_t width() const { return info().width; }
  std::int64_t height() const { return info().height; }
  std::int64_t channels() const { return info().channels; }
  bool is_float() const { return info().is_float != 0; }  // after to_tensor

  // Read-only (H, W, C) bytes, or (C, H, W) floats; borrowed until the image changes.
  const std::uint8_t* bytes() const { return pixels<std::uint8_t>(VISSL_LAYOUT_U8_HWC); }
  const float* floats() const { return pixels<float>(VISSL_LAYOUT_F32_CHW); }
  // Writable pixels in place. Bytes of a float image are an error.
  std::uint8_t* edit_bytes() { return edit<std::uint8_t>(VISSL_LAYOUT_U8_HWC); }
  float* edit_floats() { return edit<float>(VISSL_LAYOUT_F32_CHW); }

  // Encoded bytes (JPEG, PNG …), copied; `keep_alive` = they live as long as the data source and
  // are borrowed instead.
  void set_encoded(const void* data, std::uint64_t size, bool keep_alive = false) {
    call(api().set_encoded, handle_, data, size, std::uint32_t{keep_alive});
  }
  // Copied; NULL = zeros.
  void set_bytes(std::int64_t height, std::int64_t width, std::int64_t channels,
                 const std::uint8_t* hwc) {
    set_pixels(VISSL_LAYOUT_U8_HWC, height, width, channels, hwc);
  }
  void set_floats(std::int64_t height, std::int64_t width, std::int64_t channels,
                  const float* chw) {
    set_pixels(VISSL_LAYOUT_F32_CHW, height, width, channels, chw);
  }

  // Geometry of 8-bit images, in pixels. Pixels of a crop that lie outside are 0.
  void crop(std::int64_t top, std::int64_t left, std::int64_t height, std::int64_t width) {
    call(api().crop, handle_, top, left, height, width);
  }
  void resize(std::int64_t height, std::int64_t width,
              Interpolation interpolation = Interpolation::bilinear) {
    call(api().resize, handle_, height, width, static_cast<std::uint32_t>(interpolation));
  }
  void resized_crop(std::int64_t top, std::int64_t left, std::int64_t height, std::int64_t width,
                    std::int64_t out_height, std::int64_t out_width,
                    Interpolation interpolation = Interpolation::bilinear) {
    call(api().resized_crop, handle_, top, left, height, width, out_height, out_width,
         static_cast<std::uint32_t>(interpolation));
  }
  void flip_horizontal() { call(api().flip, handle_, 0u); }  // also float images
  void flip_vertical() { call(api().flip, handle_, 1u); }
  // Counter-clockwise about the centre, same size; uncovered pixels get `fill`.
  void rotate(double degrees, Interpolation interpolation = Interpolation::nearest,
              std::array<std::uint8_t, 3> fill = {0, 0, 0}) {
    const std::uint8_t* colour = fill.data();
    call(api().rotate, handle_, degrees, static_cast<std::uint32_t>(interpolation), colour);
  }

  // Colour of 8-bit images; factor 1 leaves the image as it is.
  void grayscale(std::uint32_t channels) { call(api().grayscale, handle_, channels); }  // 1 or 3
  void brightness(double factor) { enhance(VISSL_ENHANCE_BRIGHTNESS, factor); }
  void contrast(double factor) { enhance(VISSL_ENHANCE_CONTRAST, factor); }
  void saturation(double factor) { enhance(VISSL_ENHANCE_SATURATION, factor); }
  void sharpness(double factor) { enhance(VISSL_ENHANCE_SHARPNESS, factor); }
  void hue(double shift) { call(api().hue, handle_, shift); }  // turns, -0.5 … 0.5
  void gaussian_blur(double radius) { call(api().gaussian_blur, handle_, radius); }  // std, pixels
  // table: 256 entries for all channels, or 256 per channel.
  void map(const std::vector<std::uint8_t>& table) {
    if (table.empty() || table.size() % 256 != 0)
      fail("a table of pixel values has 256 entries per channel");
    call(api().map_u8, handle_, table.data(), static_cast<std::uint32_t>(table.size() / 256));
  }
  void autocontrast() { call(api().autocontrast, handle_); }
  void equalize() { call(api().equalize, handle_); }

  // To floats: x / 255 per channel; then (x - mean[c]) / std[c].
  void to_tensor() { call(api().to_tensor, handle_); }
  void normalize(const std::vector<double>& mean, const std::vector<double>& std) {
    if (mean.size() != std.size()) fail("mean and std need one number per channel");
    call(api().normalize, handle_, mean.data(), std.data(),
         static_cast<std::uint32_t>(mean.size()));
  }

  // Takes over `source`'s content; cheap, shared until one of both changes.
  void assign(const Image& source) { call(api().assign, handle_, source.handle_); }

 private:
  static const vissl_image_api& api() { return service<vissl_image_api>(VISSL_IMAGE_ID); }
  template <class T>
  const T* pixels(std::uint32_t layout) const {
    const void* data = nullptr;
    call(api().pixels, handle_, layout, &data);
    return static_cast<const T*>(data);
  }
  template <class T>
  T* edit(std::uint32_t layout) {
    void* data = nullptr;
    call(api().edit, handle_, layout, &data);
    return static_cast<T*>(data);
  }
  void set_pixels(std::uint32_t layout, std::int64_t height, std::int64_t width,
                  std::int64_t channels, const void* data) {
    call(api().set_pixels, handle_, layout, width, height, channels, data);
  }
  void enhance(std::uint32_t kind, double factor) { call(api().enhance, handle_, kind, factor); }

  vissl_image* handle_;
};

}  // namespace abi1
}  // namespace vissl
