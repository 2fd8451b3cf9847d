#pragma once
// Image files to pixels, equal to what Pillow's Image.open(...).convert("RGB") (or "L") gives: JPEG
// (accurate integer DCT, fancy upsampling; gray, YCbCr, RGB, CMYK and YCCK, sequential or
// progressive), PNG (every bit depth and colour type; alpha is dropped, not blended), BMP
// (uncompressed), PNM (binary P5 and P6), WebP (still, alpha is dropped) and TIFF (gray, RGB and
// palettes of 8 bits, 1-bit and 16-bit gray). EXIF orientation is ignored, as in torchvision's
// loader. Stricter than Pillow in one thing: a PNG whose data fails its checksum is broken. Nothing
// here prints, exits or throws on a bad file; all functions may run on any thread.
#include <cstdint>
#include <span>
#include <string>

#include "host/data/pixel/image.hpp"

namespace vissl::host::pixel {

using Bytes = std::span<const std::uint8_t>;

enum class FileFormat { unknown, jpeg, png, bmp, pnm, webp, tiff };

// By the first bytes, never by a name.
FileFormat sniff(Bytes file);

struct DecodeOptions {
  bool gray = false;                        // one channel instead of three
  std::int64_t max_pixels = 1'000'000'000;  // larger images are refused before memory is taken
};

// Either pixels or one clause that says what is wrong with the file ("the JPEG file is truncated").
struct Decoded {
  Pixels pixels;
  std::string error;
  bool ok() const { return error.empty(); }
};

struct DecodedSize {
  int width = 0;
  int height = 0;
  std::string error;
  bool ok() const { return error.empty(); }
};

// A part of the image: `height` x `width` pixels whose top left one is (top, left).
struct Window {
  int top, left, height, width;
};

Decoded decode(Bytes file, const DecodeOptions& options = {});

// Reads the header only; no pixels are decoded, so that a file may still turn out to be broken.
DecodedSize decode_size(Bytes file);

// The same pixels as decode() and then cutting the window out, and the same verdict on truncated
// files, but a sequential JPEG is decoded only as far as the window needs. A window that leaves the
// image is an error.
Decoded decode_crop(Bytes file, const Window& window, const DecodeOptions& options = {});

}  // namespace vissl::host::pixel
