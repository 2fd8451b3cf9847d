#pragma once
// The object behind vissl_image (vissl/image.h). Its content is one of
//   encoded bytes            until somebody needs pixels,
//   8-bit pixels (H, W, C)   shared between replicates, copied before the first change,
//   8-bit pixels + tables    a float image after ToTensor and Normalize, of which no float exists
//   yet (pixel/tables.hpp), float planes (C, H, W)   once somebody asked for them.
// A copy of an Image shares its content. All methods throw Error: bad_data when the encoded bytes
// cannot be read, run_failed when the operation does not fit the image. One thread at a time.
#include <vissl/image.h>

#include <memory>
#include <string>

#include "host/data/encoded.hpp"
#include "host/data/pixel/tables.hpp"
#include "host/data/planes.hpp"

namespace vissl::host {

class Image {
 public:
  struct Info {
    std::int64_t width, height, channels;
    bool is_float;
  };
  Info info();  // reads at most the header of encoded bytes
  bool is_float() const { return tables_ != nullptr || (pixels_ == nullptr && planes_ != nullptr); }
  bool empty() const { return !encoded_ && !pixels_ && !planes_; }

  void set_encoded(const void* bytes, std::size_t size_bytes, bool borrow);
  void set_pixels(pixel::Pixels pixels);
  void set_planes(Planes planes);

  // Decodes now if the image is still encoded.
  void settle();
  // Why the encoded bytes could not be read; empty when nothing failed.
  std::string failure() const { return encoded_ ? encoded_->failure() : std::string(); }

  // Contiguous pixels, valid until the image changes. `planes` of an 8-bit image are what ToTensor
  // would give.
  const pixel::Pixels& pixels();
  const float* planes();
  std::uint8_t* edit_pixels();
  float* edit_planes();  // an 8-bit image becomes a float image first, as by ToTensor
  // Writes the content to a row: of bytes (H, W, C) for an 8-bit image, of floats (C, H, W) for a
  // float image.
  void write(std::uint8_t* out);
  void write(float* out);

  // 8-bit images. Boxes in pixels; what lies outside of the image is 0. `interpolation` is
  // VISSL_BILINEAR …
  void crop(std::int64_t top, std::int64_t left, std::int64_t height, std::int64_t width);
  void resize(std::int64_t height, std::int64_t width, std::uint32_t interpolation);
  void resized_crop(std::int64_t top, std::int64_t left, std::int64_t height, std::int64_t width,
                    std::int64_t out_height, std::int64_t out_width, std::uint32_t interpolation);
  void rotate(double degrees, std::uint32_t interpolation, const std::uint8_t fill[3]);
  void grayscale(std::uint32_t channels);
  void enhance(std::uint32_t kind, double factor);
  void hue(double shift);
  void gaussian_blur(double radius);
  void map_u8(const std::uint8_t* table,
              std::uint32_t channels);  // channels x 256; channels 1 = for all
  void autocontrast();
  void equalize();

  // Also float images.
  void flip(bool vertical);
  void to_tensor();  // of an 8-bit image
  void normalize(const double* mean, const double* std,
                 std::uint32_t channels);  // of a float image

 private:
  void require_bytes(const char* operation) const;
  pixel::Pixels& writable(const char* operation);  // decoded, unshared; forgets the cached planes
  void replace(pixel::Pixels pixels);

  std::shared_ptr<Encoded> encoded_;
  std::shared_ptr<pixel::Pixels> pixels_;
  std::shared_ptr<const pixel::Tables> tables_;
  std::shared_ptr<Planes> planes_;  // the content, or beside pixels_ what planes() gave
};

inline vissl_image* handle(Image* image) {
  return reinterpret_cast<vissl_image*>(image);
}
inline Image& unwrap(vissl_image* image) {
  return *reinterpret_cast<Image*>(image);
}

// The table of service "vissl.image/1".
const vissl_image_api& image_api();

}  // namespace vissl::host
