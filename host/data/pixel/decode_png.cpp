// PNG through libpng. As with JPEG, every call into the library stands in a function that calls
// setjmp and holds nothing with a destructor.
#include <png.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <vector>

#include "host/data/pixel/codecs.hpp"

namespace vissl::host::pixel {
namespace {

struct Reader {
  png_structp png;
  png_infop info;
  const std::uint8_t* at;
  std::size_t left;
  std::jmp_buf jump;
  bool truncated;
  char message[160];
};

[[noreturn]] void on_error(png_structp png, png_const_charp text) {
  Reader& reader = *static_cast<Reader*>(png_get_error_ptr(png));
  std::snprintf(reader.message, sizeof reader.message, "%s", text);
  std::longjmp(reader.jump, 1);
}

void on_warning(png_structp, png_const_charp) {}

void on_read(png_structp png, png_bytep out, std::size_t count) {
  Reader& reader = *static_cast<Reader*>(png_get_io_ptr(png));
  if (count > reader.left) {
    reader.truncated = true;
    png_error(png, "truncated");
  }
  std::memcpy(out, reader.at, count);
  reader.at += count;
  reader.left -= count;
}

bool read_header(Reader& reader, const std::uint8_t* data, std::size_t size) {
  reader.at = data;
  reader.left = size;
  if (setjmp(reader.jump) != 0) return false;
  reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, on_error, on_warning);
  if (reader.png == nullptr) return false;
  reader.info = png_create_info_struct(reader.png);
  if (reader.info == nullptr) return false;
  png_set_read_fn(reader.png, &reader, on_read);
  png_set_user_limits(reader.png, 0x7fffffff, 0x7fffffff);  // the caller checks the size
  png_read_info(reader.png, reader.info);
  return true;
}

// Leaves gray (8 or 16 bits), palette indices (8 bits) or RGB (8 bits). Pillow drops alpha and the
// low bytes of 16-bit channels; only plain 16-bit gray keeps them until it is clipped.
bool start(Reader& reader, bool wide_gray) {
  if (setjmp(reader.jump) != 0) return false;
  const int depth = png_get_bit_depth(reader.png, reader.info);
  const int color = png_get_color_type(reader.png, reader.info);
  if (color == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(reader.png);
  if (color == PNG_COLOR_TYPE_PALETTE && depth < 8) png_set_packing(reader.png);
  if (depth == 16 && !wide_gray) png_set_strip_16(reader.png);
  if ((color & PNG_COLOR_MASK_ALPHA) != 0) png_set_strip_alpha(reader.png);
  png_set_interlace_handling(reader.png);
  png_read_update_info(reader.png, reader.info);
  return true;
}

bool read_rows(Reader& reader, png_bytepp rows) {
  if (setjmp(reader.jump) != 0) return false;
  // What follows the last row (checksums, comments) is not looked at.
  png_read_image(reader.png, rows);
  return true;
}

class Png {
 public:
  explicit Png(Bytes file) : reader_{}, size_bytes_(file.size()) {
    ok_ = read_header(reader_, file.data(), file.size());
  }
  ~Png() { png_destroy_read_struct(&reader_.png, &reader_.info, nullptr); }
  Png(const Png&) = delete;
  Png& operator=(const Png&) = delete;

  bool ok() const { return ok_; }
  std::int64_t width() const { return png_get_image_width(reader_.png, reader_.info); }
  std::int64_t height() const { return png_get_image_height(reader_.png, reader_.info); }
  std::string error() const {
    if (reader_.truncated) return "the PNG file is truncated";
    return "the PNG file is broken (" + std::string(reader_.message) + ")";
  }

  Decoded decode(const DecodeOptions& options);

 private:
  bool read(std::uint8_t* data, std::size_t stride) {
    std::vector<png_bytep> rows(static_cast<std::size_t>(height()));
    for (std::size_t y = 0; y < rows.size(); ++y) rows[y] = data + y * stride;
    return read_rows(reader_, rows.data());
  }
  bool read_wide_gray(Pixels& out);
  Pixels through_palette(const Pixels& indices) const;

  Reader reader_;
  std::size_t size_bytes_;
  bool ok_;
};

bool Png::read_wide_gray(Pixels& out) {
  const std::size_t stride = static_cast<std::size_t>(out.width()) * 2;
  Scratch raw(stride * static_cast<std::size_t>(out.height()));
  if (!read(raw.data(), stride)) return false;
  const std::uint8_t* in = raw.data();
  for (std::uint8_t* p = out.data(); p < out.data() + out.size_bytes(); ++p, in += 2) {
    *p = in[0] == 0 ? in[1] : 255;
  }
  return true;
}

Pixels Png::through_palette(const Pixels& indices) const {
  png_colorp entries = nullptr;
  int count = 0;
  png_get_PLTE(reader_.png, reader_.info, &entries, &count);
  std::array<png_color, 256> palette{};  // indices past the palette are black
  std::copy_n(entries, count, palette.begin());
  Pixels out(indices.width(), indices.height(), 3);
  const std::uint8_t* in = indices.data();
  for (std::uint8_t* p = out.data(); p < out.data() + out.size_bytes(); p += 3, ++in) {
    p[0] = palette[*in].red;
    p[1] = palette[*in].green;
    p[2] = palette[*in].blue;
  }
  return out;
}

Decoded Png::decode(const DecodeOptions& options) {
  const std::string wrong = check_size("PNG", width(), height(), options.max_pixels);
  if (!wrong.empty()) return {{}, wrong};
  const int depth = png_get_bit_depth(reader_.png, reader_.info);
  const int color = png_get_color_type(reader_.png, reader_.info);
  // Deflate makes at most 1032 bytes of one: a size beyond that is a lie, told before memory is
  // taken.
  if (png_get_rowbytes(reader_.png, reader_.info) >
      size_bytes_ * 1032 / static_cast<std::size_t>(height()) + 1) {
    return {{}, "the PNG file is truncated"};
  }
  const bool wide_gray = depth == 16 && color == PNG_COLOR_TYPE_GRAY;
  if (!start(reader_, wide_gray)) return {{}, error()};
  const bool three = (color & PNG_COLOR_MASK_COLOR) != 0 && color != PNG_COLOR_TYPE_PALETTE;
  Pixels out(static_cast<int>(width()), static_cast<int>(height()), three ? 3 : 1);
  const bool read_all =
      wide_gray ? read_wide_gray(out) : read(out.data(), static_cast<std::size_t>(out.row_bytes()));
  if (!read_all) return {{}, error()};
  if (color == PNG_COLOR_TYPE_PALETTE) return {through_palette(out), {}};
  return {std::move(out), {}};
}

}  // namespace

Decoded decode_png(Bytes file, const DecodeOptions& options) {
  Png png(file);
  if (!png.ok()) return {{}, png.error()};
  return png.decode(options);
}

DecodedSize png_size(Bytes file) {
  const Png png(file);
  if (!png.ok()) return {0, 0, png.error()};
  const std::string wrong = check_size("PNG", png.width(), png.height(), INT64_MAX);
  if (!wrong.empty()) return {0, 0, wrong};
  return {static_cast<int>(png.width()), static_cast<int>(png.height()), {}};
}

}  // namespace vissl::host::pixel
