// TIFF through libtiff: the first image of a file, 8 bits per channel: gray, RGB, with or without
// alpha (dropped, not blended), palettes, and 1-bit images; strips, tiles and planes; every
// compression that libtiff has. 16-bit gray is clipped to 255 as Pillow's convert("RGB") does.
// Other kinds (CMYK, Lab, floating point) are refused by name.
#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include "host/data/pixel/codecs.hpp"

namespace vissl::host::pixel {
namespace {

struct Memory {
  Bytes file;
  std::uint64_t at = 0;
};

Memory& memory(thandle_t handle) {
  return *static_cast<Memory*>(handle);
}

tmsize_t read_bytes(thandle_t handle, void* out, tmsize_t count) {
  Memory& m = memory(handle);
  const std::uint64_t left = m.at < m.file.size() ? m.file.size() - m.at : 0;
  const std::uint64_t given = std::min<std::uint64_t>(left, static_cast<std::uint64_t>(count));
  if (given > 0) std::memcpy(out, m.file.data() + m.at, given);
  m.at += given;
  return static_cast<tmsize_t>(given);
}

tmsize_t refuse_write(thandle_t, void*, tmsize_t) {
  return 0;
}

toff_t seek(thandle_t handle, toff_t offset, int whence) {
  Memory& m = memory(handle);
  m.at = whence == SEEK_SET ? offset : whence == SEEK_CUR ? m.at + offset : m.file.size() + offset;
  return m.at;
}

int close(thandle_t) {
  return 0;
}

toff_t size_of(thandle_t handle) {
  return memory(handle).file.size();
}

// libtiff prints its messages unless a handler takes them. The handlers are set for the process,
// once; nobody else in it uses libtiff through this program's copy.
void be_quiet() {
  static const bool done = [] {
    TIFFSetErrorHandler(nullptr);
    TIFFSetWarningHandler(nullptr);
    return true;
  }();
  static_cast<void>(done);
}

constexpr const char* kBroken = "the TIFF file is broken or truncated";

struct Layout {
  std::uint32_t width = 0, height = 0;
  std::uint16_t bits = 1, samples = 1, photometric = 0, planar = PLANARCONFIG_CONTIG;
};

class Tiff {
 public:
  explicit Tiff(Bytes file) : memory_{file} {
    be_quiet();
    tiff_.reset(TIFFClientOpen("image", "rm", &memory_, read_bytes, refuse_write, seek, close,
                               size_of, nullptr, nullptr));
    if (!tiff_) error_ = kBroken;
    if (error_.empty()) error_ = read_layout();
  }

  const std::string& error() const { return error_; }
  const Layout& layout() const { return layout_; }
  Decoded decode(const DecodeOptions& options);

 private:
  struct Close {
    void operator()(TIFF* tiff) const { TIFFClose(tiff); }
  };

  std::string read_layout();
  int channels() const {
    return layout_.photometric == PHOTOMETRIC_MINISBLACK ||
                   layout_.photometric == PHOTOMETRIC_MINISWHITE
               ? 1
               : 3;
  }
  bool read_plane(std::uint16_t plane, std::vector<std::uint8_t>& out, std::size_t row_bytes);
  bool read_tiles(std::uint16_t plane, std::vector<std::uint8_t>& out, std::size_t row_bytes,
                  std::size_t pixel_bytes);
  bool convert(const std::vector<std::uint8_t>& raw, std::size_t row_bytes, int step, int channel,
               Pixels& out);

  Memory memory_;
  std::unique_ptr<TIFF, Close> tiff_;
  Layout layout_;
  std::string error_;
};

std::string Tiff::read_layout() {
  TIFF* t = tiff_.get();
  std::uint16_t format = SAMPLEFORMAT_UINT, compression = COMPRESSION_NONE;
  if (TIFFGetField(t, TIFFTAG_IMAGEWIDTH, &layout_.width) != 1 ||
      TIFFGetField(t, TIFFTAG_IMAGELENGTH, &layout_.height) != 1 ||
      TIFFGetField(t, TIFFTAG_PHOTOMETRIC, &layout_.photometric) != 1)
    return kBroken;
  TIFFGetFieldDefaulted(t, TIFFTAG_BITSPERSAMPLE, &layout_.bits);
  TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLESPERPIXEL, &layout_.samples);
  TIFFGetFieldDefaulted(t, TIFFTAG_PLANARCONFIG, &layout_.planar);
  TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLEFORMAT, &format);
  TIFFGetFieldDefaulted(t, TIFFTAG_COMPRESSION, &compression);
  if (layout_.photometric == PHOTOMETRIC_YCBCR && compression == COMPRESSION_JPEG) {
    TIFFSetField(t, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    layout_.photometric = PHOTOMETRIC_RGB;
  }
  const bool gray =
      channels() == 1 && layout_.samples <= 2 &&
      (layout_.bits == 1 || layout_.bits == 8 || (layout_.bits == 16 && layout_.samples == 1));
  const bool rgb = layout_.photometric == PHOTOMETRIC_RGB && layout_.bits == 8 &&
                   (layout_.samples == 3 || layout_.samples == 4);
  const bool palette =
      layout_.photometric == PHOTOMETRIC_PALETTE && layout_.bits == 8 && layout_.samples == 1;
  if (format != SAMPLEFORMAT_UINT || !(gray || rgb || palette)) {
    return "the TIFF file is of a kind that is not supported (photometric " +
           std::to_string(layout_.photometric) + ", " + std::to_string(layout_.samples) +
           " channels of " + std::to_string(layout_.bits) + " bits)";
  }
  return check_size("TIFF", layout_.width, layout_.height, INT64_MAX);
}

// The rows of one plane (of all channels when they lie together), packed.
bool Tiff::read_plane(std::uint16_t plane, std::vector<std::uint8_t>& out, std::size_t row_bytes) {
  TIFF* t = tiff_.get();
  if (TIFFIsTiled(t) != 0) return read_tiles(plane, out, row_bytes, row_bytes / layout_.width);
  if (TIFFScanlineSize64(t) != row_bytes) return false;
  for (std::uint32_t y = 0; y < layout_.height; ++y) {
    if (TIFFReadScanline(t, out.data() + y * row_bytes, y, plane) < 0) return false;
  }
  return true;
}

bool Tiff::read_tiles(std::uint16_t plane, std::vector<std::uint8_t>& out, std::size_t row_bytes,
                      std::size_t pixel_bytes) {
  TIFF* t = tiff_.get();
  std::uint32_t tile_width = 0, tile_height = 0;
  TIFFGetField(t, TIFFTAG_TILEWIDTH, &tile_width);
  TIFFGetField(t, TIFFTAG_TILELENGTH, &tile_height);
  const std::uint64_t tile_bytes = TIFFTileSize64(t), tile_row = TIFFTileRowSize64(t);
  constexpr std::uint64_t kLargestTile = std::uint64_t{1} << 28;
  if (layout_.bits < 8 || tile_width == 0 || tile_height == 0 || tile_bytes > kLargestTile ||
      tile_row < tile_width * pixel_bytes)
    return false;
  std::vector<std::uint8_t> tile(tile_bytes);
  for (std::uint32_t y = 0; y < layout_.height; y += tile_height) {
    for (std::uint32_t x = 0; x < layout_.width; x += tile_width) {
      if (TIFFReadTile(t, tile.data(), x, y, 0, plane) < 0) return false;
      const std::size_t bytes = std::min(tile_width, layout_.width - x) * pixel_bytes;
      for (std::uint32_t row = 0; row < std::min(tile_height, layout_.height - y); ++row) {
        std::memcpy(out.data() + (y + row) * row_bytes + x * pixel_bytes,
                    tile.data() + row * tile_row, bytes);
      }
    }
  }
  return true;
}

// Writes one channel of `out`, or all of them when `channel` is -1; `step` bytes are a pixel of
// `raw`.
bool Tiff::convert(const std::vector<std::uint8_t>& raw, std::size_t row_bytes, int step,
                   int channel, Pixels& out) {
  std::array<std::uint16_t*, 3> map{};
  const bool palette = layout_.photometric == PHOTOMETRIC_PALETTE;
  if (palette && TIFFGetField(tiff_.get(), TIFFTAG_COLORMAP, map.data(), &map[1], &map[2]) != 1)
    return false;
  const bool invert = layout_.photometric == PHOTOMETRIC_MINISWHITE;
  const int width = out.width(), count = out.channels();
  for (int y = 0; y < out.height(); ++y) {
    const std::uint8_t* in = raw.data() + static_cast<std::size_t>(y) * row_bytes;
    std::uint8_t* to = out.data() + static_cast<std::ptrdiff_t>(y) * out.row_bytes();
    for (int x = 0; x < width; ++x, to += count) {
      const std::uint8_t* pixel = in + static_cast<std::ptrdiff_t>(x) * step;
      if (layout_.bits == 1) {
        const bool set = (in[x / 8] >> (7 - x % 8) & 1) != 0;
        to[0] = set != invert ? 255 : 0;
      } else if (layout_.bits == 16) {
        std::uint16_t wide = 0;
        std::memcpy(&wide, pixel, sizeof wide);
        to[0] = static_cast<std::uint8_t>(std::min<int>(wide, 255));
      } else if (palette) {
        for (std::size_t c = 0; c < 3; ++c) to[c] = static_cast<std::uint8_t>(map[c][*pixel] >> 8);
      } else if (channel >= 0) {
        to[channel] = *pixel;
      } else {
        for (int c = 0; c < count; ++c)
          to[c] = invert ? static_cast<std::uint8_t>(255 - pixel[c]) : pixel[c];
      }
    }
  }
  return true;
}

Decoded Tiff::decode(const DecodeOptions& options) {
  const std::string wrong = check_size("TIFF", layout_.width, layout_.height, options.max_pixels);
  if (!wrong.empty()) return {{}, wrong};
  const bool planes = layout_.planar == PLANARCONFIG_SEPARATE && layout_.samples > 1;
  const std::size_t together = planes ? 1 : layout_.samples;
  const std::size_t row_bytes = (std::size_t{layout_.width} * together * layout_.bits + 7) / 8;
  // The best compressions make some thousand bytes of one; a size far beyond is a lie, told before
  // memory is taken.
  constexpr std::size_t kLargestGain = 20000;
  if (row_bytes > memory_.file.size() * kLargestGain / layout_.height + 1) return {{}, kBroken};
  std::vector<std::uint8_t> raw(row_bytes * layout_.height);
  Pixels out(static_cast<int>(layout_.width), static_cast<int>(layout_.height), channels());
  const int step = static_cast<int>(together) * layout_.bits / 8;
  for (int channel = 0; channel < (planes ? out.channels() : 1); ++channel) {
    if (!read_plane(static_cast<std::uint16_t>(channel), raw, row_bytes) ||
        !convert(raw, row_bytes, step, planes ? channel : -1, out))
      return {{}, kBroken};
  }
  return {std::move(out), {}};
}

}  // namespace

Decoded decode_tiff(Bytes file, const DecodeOptions& options) {
  Tiff tiff(file);
  if (!tiff.error().empty()) return {{}, tiff.error()};
  return tiff.decode(options);
}

DecodedSize tiff_size(Bytes file) {
  const Tiff tiff(file);
  if (!tiff.error().empty()) return {0, 0, tiff.error()};
  return {static_cast<int>(tiff.layout().width), static_cast<int>(tiff.layout().height), {}};
}

}  // namespace vissl::host::pixel
