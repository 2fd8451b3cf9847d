#include "host/data/pixel/image.hpp"

#include <cstring>
#include <new>
#include <string>

#include "host/files/error.hpp"

namespace vissl::host::pixel {
namespace {

constexpr std::align_val_t kAlignment{64};

std::uint8_t* allocate(std::size_t size_bytes) {
  return static_cast<std::uint8_t*>(::operator new(size_bytes == 0 ? 1 : size_bytes, kAlignment));
}

}  // namespace

void refuse(const char* what, int width, int height) {
  throw Error(Exit::bad_data, std::string(what) + " (" + std::to_string(width) + " x " +
                                  std::to_string(height) + " pixels)");
}

View View::crop(int top, int left, int crop_height, int crop_width) const {
  if (top < 0 || left < 0 || crop_height < 1 || crop_width < 1 || crop_height > height - top ||
      crop_width > width - left) {
    refuse("a crop of an image must be at least one pixel and lie inside of it", crop_width,
           crop_height);
  }
  return {row(top) + std::ptrdiff_t{left} * channels, crop_width, crop_height, channels, stride};
}

void Pixels::Free::operator()(std::uint8_t* bytes) const noexcept {
  ::operator delete(bytes, kAlignment);
}

Pixels::Pixels(int width, int height, int channels)
    : width_(width), height_(height), channels_(channels) {
  if (width < 1 || height < 1) refuse("an image needs at least one pixel", width, height);
  if (channels != 1 && channels != 3 && channels != 4) {
    refuse("an image has 1, 3 or 4 channels", width, height);
  }
  data_.reset(allocate(size_bytes()));
}

Pixels::Pixels(int width, int height, int channels, std::uint8_t fill)
    : Pixels(width, height, channels) {
  std::memset(data_.get(), fill, size_bytes());
}

Pixels::Pixels(const View& source) : Pixels(source.width, source.height, source.channels) {
  if (source.stride == row_bytes()) {
    std::memcpy(data_.get(), source.data, size_bytes());
    return;
  }
  for (int y = 0; y < height_; ++y) {
    std::memcpy(row(y), source.row(y), static_cast<std::size_t>(row_bytes()));
  }
}

Scratch::Scratch(std::size_t size_bytes) : data_(allocate(size_bytes)) {}
Scratch::~Scratch() {
  ::operator delete(data_, kAlignment);
}

}  // namespace vissl::host::pixel
