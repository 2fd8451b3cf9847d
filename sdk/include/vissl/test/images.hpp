#pragma once
// The fake host's images ("vissl.image/1"). Every call is recorded as text ("gaussian_blur 1.5"),
// so that a transform's test asserts the drawn parameters; simple operations (crop, flip, map,
// to_tensor, normalize, pixels) are also carried out, resizing takes the nearest pixel, and the
// others leave the pixels alone.
#include <vissl/image.hpp>
#include <vissl/test/host.hpp>

#include <cmath>
#include <cstdio>

namespace vissl {
namespace test VISSL_HIDDEN {

class FakeImage {
 public:
  std::int64_t width = 0, height = 0, channels = 0;
  bool is_float = false;
  std::vector<float> pixels;  // (H, W, C) with values 0 … 255, or (C, H, W) when is_float
  std::string encoded;        // bytes that were never decoded
  std::vector<std::string> calls;
  std::vector<std::uint8_t> bytes;  // what a reader borrows
  bool edited = false;              // `bytes` are newer than `pixels`

  FakeImage() = default;
  // A picture whose value at (y, x, c) is y * 16 + x + c * 64, so that every place is known.
  static FakeImage pattern(std::int64_t height, std::int64_t width, std::int64_t channels = 3) {
    FakeImage image;
    image.set_size(height, width, channels);
    for (std::size_t i = 0; i < image.pixels.size(); ++i) {
      const auto at = static_cast<std::int64_t>(i);
      const std::int64_t value =
          at / channels / width * 16 + at / channels % width + at % channels * 64;
      image.pixels[i] = static_cast<float>(value % 256);
    }
    return image;
  }
  vissl_image* handle() { return reinterpret_cast<vissl_image*>(this); }
  static FakeImage& of(vissl_image* image) {
    FakeImage& it = *reinterpret_cast<FakeImage*>(image);
    it.settle();
    return it;
  }
  // Takes over the bytes that a plugin wrote through `edit`; every call of the plugin begins, and
  // every run of a transform ends, with it.
  void settle() {
    if (!edited) return;
    edited = false;
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>(bytes[i]);
  }

  void set_size(std::int64_t h, std::int64_t w, std::int64_t c) {
    height = h;
    width = w;
    channels = c;
    is_float = false;
    encoded.clear();
    pixels.assign(static_cast<std::size_t>(h * w * c), 0);
  }
  float& at(std::int64_t y, std::int64_t x, std::int64_t c) {
    return pixels[static_cast<std::size_t>(is_float ? (c * height + y) * width + x
                                                    : (y * width + x) * channels + c)];
  }
  // pixel(y, x, c) = from(y, x, c) of the image before, for an image of height h and width w.
  template <class From>
  void rebuild(std::int64_t h, std::int64_t w, From from) {
    FakeImage before = *this;
    height = h;
    width = w;
    pixels.assign(static_cast<std::size_t>(h * w * channels), 0);
    for (std::int64_t y = 0; y < h; ++y) {
      for (std::int64_t x = 0; x < w; ++x) {
        for (std::int64_t c = 0; c < channels; ++c) at(y, x, c) = from(before, y, x, c);
      }
    }
  }
  void need_bytes(const char* what) const {
    if (is_float) fail(std::string(what) + " needs an 8-bit image, but ToTensor came before");
    if (pixels.empty())
      fail(std::string(what) + " needs pixels, but the fake host decodes no files");
  }
  void note(const char* name, std::initializer_list<double> numbers = {}) {
    std::string text = name;
    for (const double x : numbers) {
      char digits[40];
      std::snprintf(digits, sizeof digits, " %.9g", x);
      text += digits;
    }
    calls.push_back(text);
  }
};

namespace detail {

inline vissl_status on_image(vissl_image* image, vissl_err* err,
                             void (*body)(FakeImage&, const double*), const char* name,
                             std::initializer_list<double> numbers) {
  return guarded(err, [&] {
    FakeImage& it = FakeImage::of(image);
    it.need_bytes(name);
    it.note(name, numbers);
    if (body != nullptr) body(it, numbers.begin());
  });
}
inline double d(std::int64_t x) {
  return static_cast<double>(x);
}
inline void crop_to(FakeImage& it, const double* n) {
  const auto top = static_cast<std::int64_t>(n[0]), left = static_cast<std::int64_t>(n[1]);
  it.rebuild(static_cast<std::int64_t>(n[2]), static_cast<std::int64_t>(n[3]),
             [&](FakeImage& before, std::int64_t y, std::int64_t x, std::int64_t c) {
               const bool inside = y + top >= 0 && y + top < before.height && x + left >= 0 &&
                                   x + left < before.width;
               return inside ? before.at(y + top, x + left, c) : 0.0f;
             });
}
inline void resize_to(FakeImage& it, const double* n) {
  it.rebuild(static_cast<std::int64_t>(n[0]), static_cast<std::int64_t>(n[1]),
             [&](FakeImage& before, std::int64_t y, std::int64_t x, std::int64_t c) {
               return before.at(y * before.height / it.height, x * before.width / it.width, c);
             });
}
inline void flip_image(FakeImage& it, bool vertical) {
  it.rebuild(
      it.height, it.width, [&](FakeImage& before, std::int64_t y, std::int64_t x, std::int64_t c) {
        return vertical ? before.at(it.height - 1 - y, x, c) : before.at(y, it.width - 1 - x, c);
      });
}
inline void to_floats(FakeImage& it) {
  it.need_bytes("to_tensor");
  FakeImage before = it;
  it.is_float = true;
  for (std::int64_t y = 0; y < it.height; ++y) {
    for (std::int64_t x = 0; x < it.width; ++x) {
      for (std::int64_t c = 0; c < it.channels; ++c) it.at(y, x, c) = before.at(y, x, c) / 255.0f;
    }
  }
}
inline void read_pixels(FakeImage& it, std::uint32_t layout, const void** data) {
  if (layout == VISSL_LAYOUT_F32_CHW) {
    if (!it.is_float) fail("floats of an 8-bit image: ToTensor must come before");
    *data = it.pixels.data();
    return;
  }
  it.need_bytes("pixels");
  it.bytes.clear();
  for (const float x : it.pixels) it.bytes.push_back(static_cast<std::uint8_t>(x));
  *data = it.bytes.data();
}

}  // namespace detail

inline const vissl_image_api& image_service() {
  using detail::d;
  using detail::on_image;
  static const vissl_image_api api = {
      sizeof(vissl_image_api),
      [](vissl_image* image, vissl_image_info* out, vissl_err* err) {
        return guarded(err, [&] {
          const FakeImage& it = FakeImage::of(image);
          if (it.pixels.empty())
            fail("the image is empty, or encoded; the fake host decodes no files");
          *out = {sizeof(vissl_image_info), it.width, it.height, it.channels,
                  it.is_float ? 1u : 0u};
        });
      },
      [](vissl_image* image, std::uint32_t layout, const void** data, vissl_err* err) {
        return guarded(err, [&] { detail::read_pixels(FakeImage::of(image), layout, data); });
      },
      [](vissl_image* image, std::uint32_t layout, void** data, vissl_err* err) {
        return guarded(err, [&] {
          FakeImage& it = FakeImage::of(image);
          const void* readable = nullptr;
          detail::read_pixels(it, layout, &readable);
          *data = const_cast<void*>(readable);
          it.edited = layout == VISSL_LAYOUT_U8_HWC;
        });
      },
      [](vissl_image* image, const void* bytes, std::uint64_t size, std::uint32_t, vissl_err* err) {
        return guarded(err, [&] {
          FakeImage& it = FakeImage::of(image);
          it.set_size(0, 0, 0);
          it.encoded.assign(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
        });
      },
      [](vissl_image* image, std::uint32_t layout, std::int64_t width, std::int64_t height,
         std::int64_t channels, const void* data, vissl_err* err) {
        return guarded(err, [&] {
          FakeImage& it = FakeImage::of(image);
          it.set_size(height, width, channels);
          it.is_float = layout == VISSL_LAYOUT_F32_CHW;
          for (std::size_t i = 0; data != nullptr && i < it.pixels.size(); ++i) {
            it.pixels[i] = it.is_float ? static_cast<const float*>(data)[i]
                                       : static_cast<const std::uint8_t*>(data)[i];
          }
        });
      },
      [](vissl_image* image, std::int64_t top, std::int64_t left, std::int64_t height,
         std::int64_t width, vissl_err* err) {
        return on_image(image, err, &detail::crop_to, "crop",
                        {d(top), d(left), d(height), d(width)});
      },
      [](vissl_image* image, std::int64_t height, std::int64_t width, std::uint32_t mode,
         vissl_err* err) {
        return on_image(image, err, &detail::resize_to, "resize", {d(height), d(width), d(mode)});
      },
      [](vissl_image* image, std::int64_t top, std::int64_t left, std::int64_t height,
         std::int64_t width, std::int64_t out_height, std::int64_t out_width, std::uint32_t mode,
         vissl_err* err) {
        return on_image(
            image, err,
            [](FakeImage& it, const double* n) {
              detail::crop_to(it, n);
              detail::resize_to(it, n + 4);
            },
            "resized_crop",
            {d(top), d(left), d(height), d(width), d(out_height), d(out_width), d(mode)});
      },
      [](vissl_image* image, std::uint32_t vertical, vissl_err* err) {
        return guarded(err, [&] {
          FakeImage::of(image).note("flip", {d(vertical)});
          detail::flip_image(FakeImage::of(image), vertical != 0);
        });
      },
      [](vissl_image* image, double degrees, std::uint32_t mode, const std::uint8_t fill[3],
         vissl_err* err) {
        return on_image(image, err, nullptr, "rotate",
                        {degrees, d(mode), d(fill[0]), d(fill[1]), d(fill[2])});
      },
      [](vissl_image* image, std::uint32_t channels, vissl_err* err) {
        return on_image(image, err, nullptr, "grayscale", {d(channels)});
      },
      [](vissl_image* image, std::uint32_t kind, double factor, vissl_err* err) {
        constexpr const char* names[] = {"brightness", "contrast", "saturation", "sharpness"};
        return on_image(image, err, nullptr, kind < 4 ? names[kind] : "enhance", {factor});
      },
      [](vissl_image* image, double shift, vissl_err* err) {
        return on_image(image, err, nullptr, "hue", {shift});
      },
      [](vissl_image* image, double radius, vissl_err* err) {
        return on_image(image, err, nullptr, "gaussian_blur", {radius});
      },
      [](vissl_image* image, const std::uint8_t* table, std::uint32_t channels, vissl_err* err) {
        return guarded(err, [&] {
          FakeImage& it = FakeImage::of(image);
          it.need_bytes("map");
          it.note("map", {d(channels)});
          for (std::size_t i = 0; i < it.pixels.size(); ++i) {
            const std::size_t row = channels == 1 ? 0 : i % static_cast<std::size_t>(it.channels);
            it.pixels[i] = table[row * 256 + static_cast<std::size_t>(it.pixels[i])];
          }
        });
      },
      [](vissl_image* image, vissl_err* err) {
        return on_image(image, err, nullptr, "autocontrast", {});
      },
      [](vissl_image* image, vissl_err* err) {
        return on_image(image, err, nullptr, "equalize", {});
      },
      [](vissl_image* image, vissl_err* err) {
        return guarded(err, [&] {
          FakeImage::of(image).note("to_tensor");
          detail::to_floats(FakeImage::of(image));
        });
      },
      [](vissl_image* image, const double* mean, const double* std, std::uint32_t channels,
         vissl_err* err) {
        return guarded(err, [&] {
          FakeImage& it = FakeImage::of(image);
          if (!it.is_float) fail("normalize needs floats: ToTensor must come before");
          if (channels != it.channels) fail("normalize needs one mean per channel");
          it.note("normalize");
          const std::size_t plane = it.pixels.size() / channels;
          for (std::size_t i = 0; i < it.pixels.size(); ++i) {
            it.pixels[i] = static_cast<float>((it.pixels[i] - mean[i / plane]) / std[i / plane]);
          }
        });
      },
      [](vissl_image* image, vissl_image* source, vissl_err* err) {
        return guarded(err, [&] {
          std::vector<std::string> calls = std::move(FakeImage::of(image).calls);
          FakeImage::of(image) = FakeImage::of(source);
          FakeImage::of(image).calls = std::move(calls);
        });
      }};
  return api;
}

}  // namespace test
}  // namespace vissl
