// Formats without compression: BMP (1, 4, 8, 24 and 32 bits per pixel) and binary PNM (P5, P6).
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "host/data/pixel/codecs.hpp"

namespace vissl::host::pixel {
namespace {

// Little-endian numbers at a place that the caller has checked.
std::uint32_t u32(Bytes file, std::size_t at) {
  return file[at] | static_cast<std::uint32_t>(file[at + 1]) << 8 |
         static_cast<std::uint32_t>(file[at + 2]) << 16 |
         static_cast<std::uint32_t>(file[at + 3]) << 24;
}
std::uint32_t u16(Bytes file, std::size_t at) {
  return file[at] | static_cast<std::uint32_t>(file[at + 1]) << 8;
}

struct BmpHeader {
  std::int64_t width = 0, height = 0;
  bool top_down = false;
  std::uint32_t bits = 0, pixels_at = 0, palette_at = 0, palette_size = 0;
  std::string error;
};

BmpHeader read_bmp_header(Bytes file) {
  BmpHeader header;
  if (file.size() < 54) {
    header.error = "the BMP file is truncated";
    return header;
  }
  const std::uint32_t header_size = u32(file, 14);
  header.pixels_at = u32(file, 10);
  header.width = static_cast<std::int32_t>(u32(file, 18));
  header.height = static_cast<std::int32_t>(u32(file, 22));
  header.top_down = header.height < 0;
  header.height = std::abs(header.height);
  header.bits = u16(file, 28);
  header.palette_at = 14 + header_size;
  header.palette_size = u32(file, 46);
  const std::uint32_t compression = u32(file, 30);
  const bool known = header.bits == 1 || header.bits == 4 || header.bits == 8 ||
                     header.bits == 24 || header.bits == 32;
  if (header_size < 40 || header_size > 124 || compression != 0 || !known) {
    header.error = "the BMP file is compressed or of a kind that is not supported";
    return header;
  }
  if (header.bits <= 8) {
    if (header.palette_size == 0) header.palette_size = 1u << header.bits;
    if (header.palette_size > 256) {
      header.error = "the BMP file names a palette of more than 256 colours";
    } else if (file.size() < header.palette_at + std::size_t{4} * header.palette_size) {
      header.error = "the BMP file is truncated";
    }
  }
  return header;
}

struct PnmHeader {
  std::int64_t width = 0, height = 0, maximum = 0;
  int channels = 0;
  std::size_t pixels_at = 0;
  std::string error;
};

bool is_space(std::uint8_t c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

// Reads a number after spaces and comments; -1 if there is none or it is too large.
std::int64_t pnm_number(Bytes file, std::size_t& at) {
  while (at < file.size() && (is_space(file[at]) || file[at] == '#')) {
    if (file[at] == '#') {
      while (at < file.size() && file[at] != '\n' && file[at] != '\r') ++at;
    } else {
      ++at;
    }
  }
  std::int64_t number = -1;
  for (; at < file.size() && file[at] >= '0' && file[at] <= '9'; ++at) {
    number = (number < 0 ? 0 : number) * 10 + (file[at] - '0');
    if (number > INT32_MAX) return -1;
  }
  return number;
}

PnmHeader read_pnm_header(Bytes file) {
  PnmHeader header;
  header.channels = file[1] == '5' ? 1 : 3;
  std::size_t at = 2;
  header.width = pnm_number(file, at);
  header.height = pnm_number(file, at);
  header.maximum = pnm_number(file, at);
  if (header.width < 1 || header.height < 1 || header.maximum < 1 || at >= file.size() ||
      !is_space(file[at])) {
    header.error = "the header of the PNM file is broken";
  } else if (header.maximum > 255) {
    header.error = "the PNM file has 16 bits per channel, which is not supported";
  }
  header.pixels_at = at + 1;
  return header;
}

}  // namespace

DecodedSize bmp_size(Bytes file) {
  const BmpHeader header = read_bmp_header(file);
  if (!header.error.empty()) return {0, 0, header.error};
  const std::string wrong = check_size("BMP", header.width, header.height, INT64_MAX);
  if (!wrong.empty()) return {0, 0, wrong};
  return {static_cast<int>(header.width), static_cast<int>(header.height), {}};
}

Decoded decode_bmp(Bytes file, const DecodeOptions& options) {
  const BmpHeader header = read_bmp_header(file);
  if (!header.error.empty()) return {{}, header.error};
  const std::string wrong = check_size("BMP", header.width, header.height, options.max_pixels);
  if (!wrong.empty()) return {{}, wrong};
  const std::size_t stride =
      (static_cast<std::size_t>(header.width) * header.bits + 31) / 32 * 4;  // rows end on 4 bytes
  const std::size_t height = static_cast<std::size_t>(header.height);
  if (header.pixels_at > file.size() || file.size() - header.pixels_at < stride * height) {
    return {{}, "the BMP file is truncated"};
  }
  std::array<std::array<std::uint8_t, 4>, 256> palette{};  // blue, green, red, nothing
  if (header.bits <= 8) {
    std::memcpy(palette.data(), file.data() + header.palette_at, 4 * header.palette_size);
  }
  Pixels out(static_cast<int>(header.width), static_cast<int>(header.height), 3);
  for (int y = 0; y < out.height(); ++y) {
    const int from = header.top_down ? y : out.height() - 1 - y;
    const std::uint8_t* in =
        file.data() + header.pixels_at + static_cast<std::size_t>(from) * stride;
    std::uint8_t* to = out.row(y);
    for (std::uint32_t x = 0; x < static_cast<std::uint32_t>(out.width()); ++x, to += 3) {
      const std::uint8_t* bgr = in + x * header.bits / 8;
      if (header.bits <= 8) {
        const std::uint32_t shift = 8 - header.bits - x * header.bits % 8;
        bgr = palette[(*bgr >> shift) & ((1u << header.bits) - 1)].data();
      }
      to[0] = bgr[2];
      to[1] = bgr[1];
      to[2] = bgr[0];
    }
  }
  return {std::move(out), {}};
}

DecodedSize pnm_size(Bytes file) {
  const PnmHeader header = read_pnm_header(file);
  if (!header.error.empty()) return {0, 0, header.error};
  return {static_cast<int>(header.width), static_cast<int>(header.height), {}};
}

Decoded decode_pnm(Bytes file, const DecodeOptions& options) {
  const PnmHeader header = read_pnm_header(file);
  if (!header.error.empty()) return {{}, header.error};
  const std::string wrong = check_size("PNM", header.width, header.height, options.max_pixels);
  if (!wrong.empty()) return {{}, wrong};
  const std::size_t size = static_cast<std::size_t>(header.width * header.height) *
                           static_cast<std::size_t>(header.channels);
  if (file.size() < header.pixels_at || file.size() - header.pixels_at < size) {
    return {{}, "the PNM file is truncated"};
  }
  Pixels out(static_cast<int>(header.width), static_cast<int>(header.height), header.channels);
  const std::uint8_t* in = file.data() + header.pixels_at;
  const double maximum = static_cast<double>(header.maximum);
  for (std::size_t i = 0; i < size; ++i) {
    const double value = std::nearbyint(in[i] / maximum * 255);
    out.data()[i] =
        header.maximum == 255 ? in[i] : static_cast<std::uint8_t>(std::min(value, 255.0));
  }
  return {std::move(out), {}};
}

}  // namespace vissl::host::pixel
