// WebP through libwebp: the first frame of still files, lossy or lossless. Alpha is dropped, not
// blended, as Pillow's convert("RGB") does.
#include <webp/decode.h>

#include "host/data/pixel/codecs.hpp"

namespace vissl::host::pixel {
namespace {

// Empty if the header can be read and the image be decoded, else the error.
std::string read_header(Bytes file, WebPBitstreamFeatures& features) {
  switch (WebPGetFeatures(file.data(), file.size(), &features)) {
    case VP8_STATUS_OK:
      break;
    case VP8_STATUS_NOT_ENOUGH_DATA:
      return "the WebP file is truncated";
    default:
      return "the WebP file is broken";
  }
  if (features.has_animation != 0) return "the WebP file is animated, which is not supported";
  return check_size("WebP", features.width, features.height, INT64_MAX);
}

}  // namespace

Decoded decode_webp(Bytes file, const DecodeOptions& options) {
  WebPBitstreamFeatures features;
  std::string error = read_header(file, features);
  if (error.empty())
    error = check_size("WebP", features.width, features.height, options.max_pixels);
  if (!error.empty()) return {{}, error};
  // The container tells its length; what is missing would else be filled with the last colour.
  const std::size_t length =
      8 + (file[4] | static_cast<std::size_t>(file[5]) << 8 |
           static_cast<std::size_t>(file[6]) << 16 | static_cast<std::size_t>(file[7]) << 24);
  if (file.size() < length) return {{}, "the WebP file is truncated"};
  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0) return {{}, "libwebp has another version"};
  Pixels out(features.width, features.height, 3);
  config.output.colorspace = MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = out.data();
  config.output.u.RGBA.stride = static_cast<int>(out.row_bytes());
  config.output.u.RGBA.size = out.size_bytes();
  const VP8StatusCode status = WebPDecode(file.data(), file.size(), &config);
  WebPFreeDecBuffer(&config.output);
  if (status == VP8_STATUS_NOT_ENOUGH_DATA || status == VP8_STATUS_SUSPENDED)
    return {{}, "the WebP file is truncated"};
  if (status != VP8_STATUS_OK) return {{}, "the WebP file is broken"};
  return {std::move(out), {}};
}

DecodedSize webp_size(Bytes file) {
  WebPBitstreamFeatures features;
  const std::string error = read_header(file, features);
  if (!error.empty()) return {0, 0, error};
  return {features.width, features.height, {}};
}

}  // namespace vissl::host::pixel
