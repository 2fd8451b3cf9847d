#pragma once
// For tests: an image service that does nothing and notes every call with its numbers, so that a
// test sees what a transform drew. All images are 500 pixels wide, 400 high, RGB and 8-bit.
#include <vissl/image.hpp>

#include <string>
#include <utility>
#include <vector>

namespace vissl::test {

struct ImageCall {
  std::string what;
  std::vector<double> numbers;
  bool operator==(const ImageCall& other) const {
    return what == other.what && numbers == other.numbers;
  }
};

class ImageRecorder {
 public:
  static constexpr std::int64_t kWidth = 500, kHeight = 400;

  ImageRecorder() { calls().clear(); }
  // The calls since the last `take`.
  std::vector<ImageCall> take() { return std::exchange(calls(), {}); }

  static const vissl_image_api& api() {
    static const vissl_image_api table = make();
    return table;
  }

 private:
  static std::vector<ImageCall>& calls() {
    static std::vector<ImageCall> list;
    return list;
  }
  template <class... Numbers>
  static vissl_status note(const char* what, Numbers... numbers) {
    calls().push_back({what, {static_cast<double>(numbers)...}});
    return VISSL_OK;
  }
  static vissl_image_api make() {
    vissl_image_api api = {};
    api.size = sizeof api;
    api.info = [](vissl_image*, vissl_image_info* out, vissl_err*) {
      *out = {sizeof *out, kWidth, kHeight, 3, 0};
      return vissl_status{VISSL_OK};
    };
    api.crop = [](vissl_image*, std::int64_t top, std::int64_t left, std::int64_t height,
                  std::int64_t width,
                  vissl_err*) { return note("crop", top, left, height, width); };
    api.resized_crop = [](vissl_image*, std::int64_t top, std::int64_t left, std::int64_t height,
                          std::int64_t width, std::int64_t out_height, std::int64_t out_width,
                          std::uint32_t filter, vissl_err*) {
      return note("resized_crop", top, left, height, width, out_height, out_width, filter);
    };
    api.flip = [](vissl_image*, std::uint32_t vertical, vissl_err*) {
      return note("flip", vertical);
    };
    api.rotate = [](vissl_image*, double degrees, std::uint32_t filter, const std::uint8_t*,
                    vissl_err*) { return note("rotate", degrees, filter); };
    api.grayscale = [](vissl_image*, std::uint32_t channels, vissl_err*) {
      return note("grayscale", channels);
    };
    api.enhance = [](vissl_image*, std::uint32_t kind, double factor, vissl_err*) {
      static constexpr const char* kNames[] = {"brightness", "contrast", "saturation", "sharpness"};
      return note(kNames[kind], factor);
    };
    api.hue = [](vissl_image*, double shift, vissl_err*) { return note("hue", shift); };
    api.gaussian_blur = [](vissl_image*, double radius, vissl_err*) {
      return note("blur", radius);
    };
    // The number of values that the table changes.
    api.map_u8 = [](vissl_image*, const std::uint8_t* table, std::uint32_t, vissl_err*) {
      int changed = 0;
      for (int v = 0; v < 256; ++v) changed += table[v] != v ? 1 : 0;
      return note("map", changed);
    };
    api.autocontrast = [](vissl_image*, vissl_err*) { return note("autocontrast"); };
    return api;
  }
};

}  // namespace vissl::test
