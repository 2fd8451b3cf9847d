// The table of "vissl.image/1": thunks from the C functions to Image.
#include <algorithm>
#include <cstring>
#include <utility>

#include "host/data/guard.hpp"
#include "host/data/image.hpp"

namespace vissl::host {
namespace {

void check_layout(std::uint32_t layout) {
  if (layout != VISSL_LAYOUT_U8_HWC && layout != VISSL_LAYOUT_F32_CHW) {
    throw Error(Exit::run_failed, "there is no image layout " + std::to_string(layout));
  }
}

int size_of(std::int64_t value) {
  if (value < 1 || value > (1 << 30)) {
    throw Error(Exit::run_failed, "an image cannot have a side of " + std::to_string(value));
  }
  return static_cast<int>(value);
}

vissl_status info(vissl_image* image, vissl_image_info* out, vissl_err* err) {
  return guarded(err, [&] {
    if (out->size < sizeof(vissl_image_info)) {
      throw Error(Exit::bad_plugin, "vissl_image_info: the caller must set its size");
    }
    const Image::Info info = unwrap(image).info();
    out->width = info.width;
    out->height = info.height;
    out->channels = info.channels;
    out->is_float = info.is_float ? 1 : 0;
  });
}

vissl_status pixels(vissl_image* image, std::uint32_t layout, const void** data, vissl_err* err) {
  return guarded(err, [&] {
    check_layout(layout);
    if (layout == VISSL_LAYOUT_U8_HWC) {
      *data = unwrap(image).pixels().data();
    } else {
      *data = unwrap(image).planes();
    }
  });
}

vissl_status edit(vissl_image* image, std::uint32_t layout, void** data, vissl_err* err) {
  return guarded(err, [&] {
    check_layout(layout);
    if (layout == VISSL_LAYOUT_U8_HWC) {
      *data = unwrap(image).edit_pixels();
    } else {
      *data = unwrap(image).edit_planes();
    }
  });
}

vissl_status set_encoded(vissl_image* image, const void* bytes, std::uint64_t size,
                         std::uint32_t keep_alive, vissl_err* err) {
  return guarded(err, [&] {
    unwrap(image).set_encoded(bytes, static_cast<std::size_t>(size), keep_alive != 0);
  });
}

vissl_status set_pixels(vissl_image* image, std::uint32_t layout, std::int64_t width,
                        std::int64_t height, std::int64_t channels, const void* data,
                        vissl_err* err) {
  return guarded(err, [&] {
    check_layout(layout);
    if (layout == VISSL_LAYOUT_U8_HWC) {
      pixel::Pixels content(size_of(width), size_of(height), size_of(channels));
      if (data != nullptr) {
        std::memcpy(content.data(), data, content.size_bytes());
      } else {
        std::memset(content.data(), 0, content.size_bytes());
      }
      unwrap(image).set_pixels(std::move(content));
      return;
    }
    Planes content(width, height, channels);
    if (data != nullptr) {
      std::copy_n(static_cast<const float*>(data), content.count(), content.data());
    } else {
      std::fill_n(content.data(), content.count(), 0.0f);
    }
    unwrap(image).set_planes(std::move(content));
  });
}

vissl_status crop(vissl_image* image, std::int64_t top, std::int64_t left, std::int64_t height,
                  std::int64_t width, vissl_err* err) {
  return guarded(err, [&] { unwrap(image).crop(top, left, height, width); });
}

vissl_status resize(vissl_image* image, std::int64_t height, std::int64_t width,
                    std::uint32_t interpolation, vissl_err* err) {
  return guarded(err, [&] { unwrap(image).resize(height, width, interpolation); });
}

vissl_status resized_crop(vissl_image* image, std::int64_t top, std::int64_t left,
                          std::int64_t height, std::int64_t width, std::int64_t out_height,
                          std::int64_t out_width, std::uint32_t interpolation, vissl_err* err) {
  return guarded(err, [&] {
    unwrap(image).resized_crop(top, left, height, width, out_height, out_width, interpolation);
  });
}

vissl_status flip(vissl_image* image, std::uint32_t vertical, vissl_err* err) {
  return guarded(err, [&] { unwrap(image).flip(vertical != 0); });
}

vissl_status rotate(vissl_image* image, double degrees, std::uint32_t interpolation,
                    const std::uint8_t fill[3], vissl_err* err) {
  return guarded(err, [&] { unwrap(image).rotate(degrees, interpolation, fill); });
}

vissl_status grayscale(vissl_image* image, std::uint32_t channels, vissl_err* err) {
  return guarded(err, [&] { unwrap(image).grayscale(channels); });
}

vissl_status enhance(vissl_image* image, std::uint32_t kind, double factor, vissl_err* err) {
  return guarded(err, [&] { unwrap(image).enhance(kind, factor); });
}

vissl_status hue(vissl_image* image, double shift, vissl_err* err) {
  return guarded(err, [&] { unwrap(image).hue(shift); });
}

vissl_status gaussian_blur(vissl_image* image, double radius, vissl_err* err) {
  return guarded(err, [&] { unwrap(image).gaussian_blur(radius); });
}

vissl_status map_u8(vissl_image* image, const std::uint8_t* table, std::uint32_t channels,
                    vissl_err* err) {
  return guarded(err, [&] { unwrap(image).map_u8(table, channels); });
}

vissl_status autocontrast(vissl_image* image, vissl_err* err) {
  return guarded(err, [&] { unwrap(image).autocontrast(); });
}

vissl_status equalize(vissl_image* image, vissl_err* err) {
  return guarded(err, [&] { unwrap(image).equalize(); });
}

vissl_status to_tensor(vissl_image* image, vissl_err* err) {
  return guarded(err, [&] { unwrap(image).to_tensor(); });
}

vissl_status normalize(vissl_image* image, const double* mean, const double* std,
                       std::uint32_t channels, vissl_err* err) {
  return guarded(err, [&] { unwrap(image).normalize(mean, std, channels); });
}

vissl_status assign(vissl_image* image, vissl_image* source, vissl_err* err) {
  return guarded(err, [&] { unwrap(image) = unwrap(source); });
}

constexpr vissl_image_api kApi = {
    sizeof(vissl_image_api),
    info,
    pixels,
    edit,
    set_encoded,
    set_pixels,
    crop,
    resize,
    resized_crop,
    flip,
    rotate,
    grayscale,
    enhance,
    hue,
    gaussian_blur,
    map_u8,
    autocontrast,
    equalize,
    to_tensor,
    normalize,
    assign,
};

}  // namespace

const vissl_image_api& image_api() {
  return kApi;
}

}  // namespace vissl::host
