#include "host/data/image.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <utility>

#include "host/data/pixel/blur.hpp"
#include "host/data/pixel/color.hpp"
#include "host/data/pixel/geometry.hpp"
#include "host/data/pixel/lut.hpp"
#include "host/data/pixel/resize.hpp"
#include "host/files/counted.hpp"
#include "host/files/error.hpp"

namespace vissl::host {
namespace {

int pixels_of(std::int64_t value, const char* what) {
  if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max()) {
    throw Error(Exit::run_failed, std::string("a ") + what + " of " + std::to_string(value) +
                                      " pixels is out of range");
  }
  return static_cast<int>(value);
}

pixel::Interpolation interpolation_of(std::uint32_t id) {
  switch (id) {
    case VISSL_NEAREST:
      return pixel::Interpolation::nearest;
    case VISSL_BILINEAR:
      return pixel::Interpolation::bilinear;
    case VISSL_BICUBIC:
      return pixel::Interpolation::bicubic;
    default:
      throw Error(Exit::run_failed, "there is no interpolation " + std::to_string(id) +
                                        "; use nearest (0), bilinear (2) or bicubic (3)");
  }
}

struct Box {
  int top, left, height, width;
  bool inside(int image_height, int image_width) const {
    return top >= 0 && left >= 0 && height <= image_height - top && width <= image_width - left;
  }
};

Box box_of(std::int64_t top, std::int64_t left, std::int64_t height, std::int64_t width) {
  const Box box{pixels_of(top, "crop's top"), pixels_of(left, "crop's left edge"),
                pixels_of(height, "crop's height"), pixels_of(width, "crop's width")};
  if (height < 1 || width < 1) {
    throw Error(Exit::run_failed, "a crop must be at least one pixel, not " +
                                      std::to_string(height) + " x " + std::to_string(width));
  }
  return box;
}

void write_planes(const pixel::Pixels& image, const pixel::Tables& tables, float* out) {
  pixel::write_chw(image, tables, out, std::ptrdiff_t{image.width()} * image.height(),
                   image.width());
}

}  // namespace

Image::Info Image::info() {
  if (pixels_) return {pixels_->width(), pixels_->height(), pixels_->channels(), is_float()};
  if (planes_) return {planes_->width(), planes_->height(), planes_->channels(), true};
  if (encoded_) {
    const Encoded::Size size = encoded_->size();
    return {size.width, size.height, 3, false};
  }
  throw Error(Exit::run_failed, "the image is empty: its data source has not set its content");
}

void Image::set_encoded(const void* bytes, std::size_t size_bytes, bool borrow) {
  *this = Image();
  encoded_ = std::make_shared<Encoded>(bytes, size_bytes, borrow);
}

void Image::set_pixels(pixel::Pixels pixels) {
  *this = Image();
  pixels_ = std::make_shared<pixel::Pixels>(std::move(pixels));
}

void Image::set_planes(Planes planes) {
  *this = Image();
  planes_ = std::make_shared<Planes>(std::move(planes));
}

void Image::settle() {
  if (pixels_ || planes_) return;
  if (!encoded_) {
    throw Error(Exit::run_failed, "the image is empty: its data source has not set its content");
  }
  pixels_ = encoded_->decode();
  encoded_.reset();
}

void Image::require_bytes(const char* operation) const {
  if (is_float()) {
    throw Error(Exit::run_failed,
                std::string(operation) +
                    " works on 8-bit images, and this one is float already: put it before the "
                    "transform that makes floats");
  }
}

const pixel::Pixels& Image::pixels() {
  require_bytes("reading 8-bit pixels");
  settle();
  return *pixels_;
}

const float* Image::planes() {
  settle();
  if (!planes_) {
    auto planes =
        std::make_shared<Planes>(pixels_->width(), pixels_->height(), pixels_->channels());
    write_planes(*pixels_, tables_ ? *tables_ : pixel::to_tensor_tables(pixels_->channels()),
                 planes->data());
    planes_ = std::move(planes);
    if (tables_) {  // the floats are the content from now on
      pixels_.reset();
      tables_.reset();
    }
  }
  return planes_->data();
}

pixel::Pixels& Image::writable(const char* operation) {
  require_bytes(operation);
  settle();
  if (pixels_.use_count() > 1) pixels_ = std::make_shared<pixel::Pixels>(pixels_->clone());
  planes_.reset();
  return *pixels_;
}

void Image::replace(pixel::Pixels pixels) {
  pixels_ = std::make_shared<pixel::Pixels>(std::move(pixels));
  encoded_.reset();
  planes_.reset();
}

std::uint8_t* Image::edit_pixels() {
  return writable("editing 8-bit pixels").data();
}

float* Image::edit_planes() {
  planes();
  pixels_.reset();
  if (planes_.use_count() > 1) planes_ = std::make_shared<Planes>(planes_->clone());
  return planes_->data();
}

void Image::write(std::uint8_t* out) {
  const pixel::Pixels& image = pixels();
  std::memcpy(out, image.data(), image.size_bytes());
}

void Image::write(float* out) {
  settle();
  if (!is_float()) {
    throw Error(
        Exit::run_failed,
        "the image is still 8-bit and cannot fill a float row: add ToTensor to the transforms");
  }
  if (tables_) {
    write_planes(*pixels_, *tables_, out);
  } else {
    std::copy_n(planes_->data(), planes_->count(), out);
  }
}

void Image::crop(std::int64_t top, std::int64_t left, std::int64_t height, std::int64_t width) {
  const Box box = box_of(top, left, height, width);
  require_bytes("a crop");
  // A replicate decodes all of it once for everybody; an image of its own decodes its window.
  if (!pixels_ && encoded_.use_count() == 1 && !encoded_->decoded() &&
      box.inside(encoded_->size().height, encoded_->size().width)) {
    replace(encoded_->decode_window(box.top, box.left, box.height, box.width));
    return;
  }
  settle();
  replace(pixel::crop_padded(*pixels_, box.top, box.left, box.height, box.width));
}

void Image::resize(std::int64_t height, std::int64_t width, std::uint32_t interpolation) {
  require_bytes("a resize");
  settle();
  const int out_height = pixels_of(height, "height"), out_width = pixels_of(width, "width");
  const pixel::Interpolation filter = interpolation_of(interpolation);
  if (out_height == pixels_->height() && out_width == pixels_->width()) return;
  replace(pixel::resize(*pixels_, out_height, out_width, filter));
}

void Image::resized_crop(std::int64_t top, std::int64_t left, std::int64_t height,
                         std::int64_t width, std::int64_t out_height, std::int64_t out_width,
                         std::uint32_t interpolation) {
  const Box box = box_of(top, left, height, width);
  require_bytes("a resized crop");
  const bool window_only = !pixels_ && encoded_.use_count() == 1 && !encoded_->decoded();
  if (!window_only) settle();
  if (window_only || !box.inside(pixels_->height(), pixels_->width())) {
    crop(top, left, height, width);
    resize(out_height, out_width, interpolation);
    return;
  }
  replace(pixel::resized_crop(*pixels_, box.top, box.left, box.height, box.width,
                              pixels_of(out_height, "height"), pixels_of(out_width, "width"),
                              interpolation_of(interpolation)));
}

void Image::rotate(double degrees, std::uint32_t interpolation, const std::uint8_t fill[3]) {
  require_bytes("a rotation");
  settle();
  pixel::Fill border{};
  if (fill != nullptr) std::copy_n(fill, 3, border.begin());
  replace(pixel::rotate(*pixels_, degrees, interpolation_of(interpolation), border));
}

void Image::grayscale(std::uint32_t channels) {
  if (channels != 1 && channels != 3) {
    throw Error(Exit::run_failed,
                "grayscale gives 1 or 3 channels, not " + std::to_string(channels));
  }
  require_bytes("grayscale");
  settle();
  const bool gray = pixels_->channels() == 1;
  if (channels == 1) {
    if (!gray) replace(pixel::to_gray(*pixels_));
  } else if (gray) {
    replace(pixel::to_rgb(*pixels_));
  } else {
    pixel::replace_by_gray(writable("grayscale"));
  }
}

void Image::enhance(std::uint32_t kind, double factor) {
  switch (kind) {
    case VISSL_ENHANCE_BRIGHTNESS:
      return pixel::adjust_brightness(writable("adjusting the brightness"), factor);
    case VISSL_ENHANCE_CONTRAST:
      return pixel::adjust_contrast(writable("adjusting the contrast"), factor);
    case VISSL_ENHANCE_SATURATION:
      return pixel::adjust_saturation(writable("adjusting the saturation"), factor);
    case VISSL_ENHANCE_SHARPNESS:
      return pixel::adjust_sharpness(writable("adjusting the sharpness"), factor);
    default:
      throw Error(Exit::run_failed, "there is no enhancement " + std::to_string(kind));
  }
}

void Image::hue(double shift) {
  pixel::adjust_hue(writable("adjusting the hue"), shift);
}

void Image::gaussian_blur(double radius) {
  pixel::gaussian_blur(writable("a blur"), radius);
}

void Image::map_u8(const std::uint8_t* table, std::uint32_t channels) {
  pixel::Pixels& image = writable("a map of 8-bit values");
  if (channels != 1 && static_cast<int>(channels) != image.channels()) {
    throw Error(Exit::usage, "a map has " + counted(channels, "table") + " and the image has " +
                                 counted(image.channels(), "channel"));
  }
  std::vector<pixel::Lut> luts(static_cast<std::size_t>(image.channels()));
  for (std::size_t c = 0; c < luts.size(); ++c) {
    std::copy_n(table + (channels == 1 ? 0 : c * 256), 256, luts[c].begin());
  }
  pixel::apply_luts(image, luts.data());
}

void Image::autocontrast() {
  pixel::autocontrast(writable("autocontrast"));
}

void Image::equalize() {
  pixel::equalize(writable("equalize"));
}

void Image::flip(bool vertical) {
  settle();
  if (!pixels_) {
    edit_planes();
    planes_->flip(vertical);
    return;
  }
  // A float image keeps its tables: they do not depend on the place.
  replace(vertical ? pixel::flip_vertical(*pixels_) : pixel::flip_horizontal(*pixels_));
}

void Image::to_tensor() {
  require_bytes("making floats");
  settle();
  planes_.reset();
  tables_ = std::make_shared<pixel::Tables>(pixel::to_tensor_tables(pixels_->channels()));
}

void Image::normalize(const double* mean, const double* std, std::uint32_t channels) {
  settle();
  if (!is_float()) {
    throw Error(Exit::run_failed, "Normalize works on float images: put ToTensor before it");
  }
  if (tables_) {
    auto tables = std::make_shared<pixel::Tables>(*tables_);
    pixel::normalize_tables(*tables, {mean, channels}, {std, channels});
    tables_ = std::move(tables);
  } else {
    edit_planes();
    planes_->normalize(mean, std, channels);
  }
}

}  // namespace vissl::host
