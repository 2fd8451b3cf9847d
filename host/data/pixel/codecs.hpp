#pragma once
// The formats behind decode.hpp. Each gives its file's own channels, 1 (gray) or 3 (RGB).
#include "host/data/pixel/decode.hpp"

namespace vissl::host::pixel {

// Empty if an image of this size may be decoded, else the error.
std::string check_size(const char* format, std::int64_t width, std::int64_t height,
                       std::int64_t max_pixels);
std::string check_window(const Window& window, int width, int height);

// `window` may be null: the whole image.
Decoded decode_jpeg(Bytes file, const Window* window, const DecodeOptions& options);
DecodedSize jpeg_size(Bytes file);

Decoded decode_png(Bytes file, const DecodeOptions& options);
DecodedSize png_size(Bytes file);

Decoded decode_bmp(Bytes file, const DecodeOptions& options);
DecodedSize bmp_size(Bytes file);

Decoded decode_pnm(Bytes file, const DecodeOptions& options);
DecodedSize pnm_size(Bytes file);

Decoded decode_webp(Bytes file, const DecodeOptions& options);
DecodedSize webp_size(Bytes file);

Decoded decode_tiff(Bytes file, const DecodeOptions& options);
DecodedSize tiff_size(Bytes file);

}  // namespace vissl::host::pixel
