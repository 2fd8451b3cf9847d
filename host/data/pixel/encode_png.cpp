#include "host/data/pixel/encode_png.hpp"

#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <new>

#include "host/files/error.hpp"

namespace vissl::host::pixel {
namespace {

struct Writer {
  png_structp png;
  png_infop info;
  std::vector<std::uint8_t>* file;
  std::jmp_buf jump;
  char message[160];
};

[[noreturn]] void on_error(png_structp png, png_const_charp text) {
  Writer& writer = *static_cast<Writer*>(png_get_error_ptr(png));
  std::snprintf(writer.message, sizeof writer.message, "%s", text);
  std::longjmp(writer.jump, 1);
}

void on_warning(png_structp, png_const_charp) {}

void on_write(png_structp png, png_bytep bytes, std::size_t count) {
  bool stored = true;
  try {
    std::vector<std::uint8_t>& file = *static_cast<Writer*>(png_get_io_ptr(png))->file;
    file.insert(file.end(), bytes, bytes + count);
  } catch (const std::bad_alloc&) {
    stored = false;  // no exception may pass through the library
  }
  if (!stored) png_error(png, "out of memory");
}

void on_flush(png_structp) {}

// Holds nothing with a destructor: the library leaves it by longjmp.
bool write(Writer& writer, const View& image) {
  if (setjmp(writer.jump) != 0) return false;
  writer.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &writer, on_error, on_warning);
  if (writer.png == nullptr) return false;
  writer.info = png_create_info_struct(writer.png);
  if (writer.info == nullptr) return false;
  png_set_write_fn(writer.png, &writer, on_write, on_flush);
  png_set_user_limits(writer.png, 0x7fffffff, 0x7fffffff);
  png_set_IHDR(writer.png, writer.info, static_cast<png_uint_32>(image.width),
               static_cast<png_uint_32>(image.height), 8,
               image.channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(writer.png, writer.info);
  for (int y = 0; y < image.height; ++y) png_write_row(writer.png, image.row(y));
  png_write_end(writer.png, nullptr);
  return true;
}

}  // namespace

std::vector<std::uint8_t> encode_png(const View& image) {
  if (image.channels != 1 && image.channels != 3) {
    refuse("a PNG file is written from 1 or 3 channels", image.width, image.height);
  }
  std::vector<std::uint8_t> file;
  Writer writer{};
  writer.file = &file;
  const bool ok = write(writer, image);
  png_destroy_write_struct(&writer.png, &writer.info);
  if (!ok) {
    throw Error(Exit::run_failed,
                "an image cannot be written as PNG: " + std::string(writer.message));
  }
  return file;
}

}  // namespace vissl::host::pixel
