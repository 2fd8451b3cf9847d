#include "host/data/pixel/decode.hpp"

#include <cstdio>
#include <cstring>
#include <new>

#include "host/data/pixel/codecs.hpp"
#include "host/data/pixel/color.hpp"

namespace vissl::host::pixel {
namespace {

std::string unknown_format(Bytes file) {
  if (file.empty()) return "the file is empty";
  std::string text = "the file is not a JPEG, PNG, BMP, PNM, WebP or TIFF image (it starts with";
  for (std::size_t i = 0; i < file.size() && i < 4; ++i) {
    char hex[8];
    std::snprintf(hex, sizeof hex, " %02x", file[i]);
    text += hex;
  }
  return text + ")";
}

// `window` may be null. Sets the channels that were asked for.
Decoded decode_part(Bytes file, const Window* window, const DecodeOptions& options) try {
  const FileFormat format = sniff(file);
  Decoded out;
  switch (format) {
    case FileFormat::jpeg:
      out = decode_jpeg(file, window, options);
      break;
    case FileFormat::png:
      out = decode_png(file, options);
      break;
    case FileFormat::bmp:
      out = decode_bmp(file, options);
      break;
    case FileFormat::pnm:
      out = decode_pnm(file, options);
      break;
    case FileFormat::webp:
      out = decode_webp(file, options);
      break;
    case FileFormat::tiff:
      out = decode_tiff(file, options);
      break;
    case FileFormat::unknown:
      out.error = unknown_format(file);
      break;
  }
  if (!out.ok()) {
    out.pixels = Pixels();
    return out;
  }
  if (window != nullptr && format != FileFormat::jpeg) {
    out.error = check_window(*window, out.pixels.width(), out.pixels.height());
    if (!out.ok()) return {{}, out.error};
    out.pixels =
        Pixels(out.pixels.view().crop(window->top, window->left, window->height, window->width));
  }
  if (options.gray && out.pixels.channels() == 3) out.pixels = to_gray(out.pixels);
  if (!options.gray && out.pixels.channels() == 1) out.pixels = to_rgb(out.pixels);
  return out;
} catch (const std::bad_alloc&) {
  return {{}, "there is not enough memory for the pixels of the image"};
}

}  // namespace

std::string check_size(const char* format, std::int64_t width, std::int64_t height,
                       std::int64_t max_pixels) {
  if (width < 1 || height < 1 || width > INT32_MAX / 8 || height > INT32_MAX / 8) {
    return "the " + std::string(format) + " file names an impossible size, " +
           std::to_string(width) + " x " + std::to_string(height) + " pixels";
  }
  if (width * height > max_pixels) {
    return "the " + std::string(format) + " image has " + std::to_string(width) + " x " +
           std::to_string(height) + " pixels, more than the limit of " + std::to_string(max_pixels);
  }
  return {};
}

std::string check_window(const Window& window, int width, int height) {
  if (window.top >= 0 && window.left >= 0 && window.height >= 1 && window.width >= 1 &&
      window.height <= height - window.top && window.width <= width - window.left) {
    return {};
  }
  return "the window of " + std::to_string(window.width) + " x " + std::to_string(window.height) +
         " pixels at (" + std::to_string(window.left) + ", " + std::to_string(window.top) +
         ") leaves the image of " + std::to_string(width) + " x " + std::to_string(height);
}

FileFormat sniff(Bytes file) {
  const auto starts = [&](const char* magic, std::size_t size) {
    return file.size() >= size && std::memcmp(file.data(), magic, size) == 0;
  };
  if (starts("\xff\xd8\xff", 3)) return FileFormat::jpeg;
  if (starts("\x89PNG\r\n\x1a\n", 8)) return FileFormat::png;
  if (starts("BM", 2)) return FileFormat::bmp;
  if (starts("P5", 2) || starts("P6", 2)) return FileFormat::pnm;
  if (starts("RIFF", 4) && file.size() >= 12 && std::memcmp(file.data() + 8, "WEBP", 4) == 0)
    return FileFormat::webp;
  for (const char* magic : {"II*\0", "MM\0*", "II+\0", "MM\0+"})
    if (starts(magic, 4)) return FileFormat::tiff;
  return FileFormat::unknown;
}

Decoded decode(Bytes file, const DecodeOptions& options) {
  return decode_part(file, nullptr, options);
}

Decoded decode_crop(Bytes file, const Window& window, const DecodeOptions& options) {
  return decode_part(file, &window, options);
}

DecodedSize decode_size(Bytes file) {
  switch (sniff(file)) {
    case FileFormat::jpeg:
      return jpeg_size(file);
    case FileFormat::png:
      return png_size(file);
    case FileFormat::bmp:
      return bmp_size(file);
    case FileFormat::pnm:
      return pnm_size(file);
    case FileFormat::webp:
      return webp_size(file);
    case FileFormat::tiff:
      return tiff_size(file);
    case FileFormat::unknown:
      break;
  }
  return {0, 0, unknown_format(file)};
}

}  // namespace vissl::host::pixel
