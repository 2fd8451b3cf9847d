// JPEG through libjpeg-turbo. The library reports errors by longjmp, which must not pass over C++
// objects: every call into it stands in one of the few functions below that call setjmp and hold
// nothing with a destructor.
#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>

// jpeglib.h needs <cstdio> before it.
#include <jpeglib.h>

#include "host/data/pixel/codecs.hpp"

namespace vissl::host::pixel {
namespace {

constexpr int kMaxScans =
    500;  // a real progressive file has about ten; hostile ones take minutes with thousands
constexpr long kMaxCoefficientBytes = 2l
                                      << 30;  // what a progressive file may make the library hold

struct Reader {
  jpeg_decompress_struct codec;
  jpeg_error_mgr errors;
  jpeg_source_mgr source;
  jpeg_progress_mgr progress;
  std::jmp_buf jump;
  bool all_rows_read;  // only the end marker may still be missing
  bool failed;
  char message[JMSG_LENGTH_MAX];
};

Reader& reader_of(j_common_ptr codec) {
  return *static_cast<Reader*>(codec->client_data);
}

[[noreturn]] void fail(Reader& reader, const char* message) {
  std::snprintf(reader.message, sizeof reader.message, "%s", message);
  reader.failed = true;
  std::longjmp(reader.jump, 1);
}

[[noreturn]] void on_error(j_common_ptr codec) {
  char text[JMSG_LENGTH_MAX];
  codec->err->format_message(codec, text);
  fail(reader_of(codec), text);
}

// Warnings are about data that the library can bridge; Pillow is silent about them too.
void on_message(j_common_ptr) {}
void on_warning(j_common_ptr, int) {}

void on_progress(j_common_ptr codec) {
  if (reinterpret_cast<j_decompress_ptr>(codec)->input_scan_number > kMaxScans) {
    fail(reader_of(codec), "too many scans");
  }
}

void on_source(j_decompress_ptr) {}

// The end of the file. As in Pillow it is an error while rows are missing, and none when only the
// end marker is.
boolean on_empty(j_decompress_ptr codec) {
  Reader& reader = reader_of(reinterpret_cast<j_common_ptr>(codec));
  if (reader.all_rows_read) std::longjmp(reader.jump, 1);
  fail(reader, "truncated");
}

void on_skip(j_decompress_ptr codec, long count) {
  if (count <= 0) return;
  jpeg_source_mgr& source = *codec->src;
  if (static_cast<unsigned long>(count) > source.bytes_in_buffer) on_empty(codec);
  source.next_input_byte += count;
  source.bytes_in_buffer -= static_cast<unsigned long>(count);
}

bool read_header(Reader& reader, const std::uint8_t* data, std::size_t size) {
  reader.codec.err = jpeg_std_error(&reader.errors);
  reader.codec.client_data = &reader;
  reader.errors.error_exit = on_error;
  reader.errors.output_message = on_message;
  reader.errors.emit_message = on_warning;
  if (setjmp(reader.jump) != 0) return false;
  jpeg_create_decompress(&reader.codec);
  reader.codec.mem->max_memory_to_use = kMaxCoefficientBytes;
  reader.progress.progress_monitor = on_progress;
  reader.codec.progress = &reader.progress;
  reader.source.init_source = on_source;
  reader.source.fill_input_buffer = on_empty;
  reader.source.skip_input_data = on_skip;
  reader.source.resync_to_restart = jpeg_resync_to_restart;
  reader.source.term_source = on_source;
  reader.source.next_input_byte = data;
  reader.source.bytes_in_buffer = size;
  reader.codec.src = &reader.source;
  jpeg_read_header(&reader.codec, TRUE);
  return true;
}

bool start(Reader& reader, J_COLOR_SPACE colors) {
  if (setjmp(reader.jump) != 0) return false;
  reader.codec.out_color_space = colors;
  reader.codec.dct_method = JDCT_ISLOW;
  reader.codec.do_fancy_upsampling = TRUE;
  jpeg_start_decompress(&reader.codec);
  return true;
}

// Restricts the following rows to columns that include [*left, *left + *width); sets them to what
// they became.
bool restrict_columns(Reader& reader, JDIMENSION* left, JDIMENSION* width) {
  if (setjmp(reader.jump) != 0) return false;
  jpeg_crop_scanline(&reader.codec, left, width);
  return true;
}

bool skip_rows(Reader& reader, JDIMENSION count) {
  if (setjmp(reader.jump) != 0) return false;
  if (count > 0) jpeg_skip_scanlines(&reader.codec, count);
  return true;
}

bool read_row(Reader& reader, std::uint8_t* row) {
  if (setjmp(reader.jump) != 0) return false;
  jpeg_read_scanlines(&reader.codec, &row, 1);
  return true;
}

bool finish(Reader& reader) {
  if (setjmp(reader.jump) != 0) return !reader.failed;
  reader.all_rows_read = true;
  jpeg_finish_decompress(&reader.codec);
  return true;
}

// Owns a Reader; the destructor frees what the library took.
class Jpeg {
 public:
  explicit Jpeg(Bytes file) : reader_{}, end_(file.data() + file.size()) {
    ok_ = read_header(reader_, file.data(), file.size());
  }
  ~Jpeg() { jpeg_destroy_decompress(&reader_.codec); }
  Jpeg(const Jpeg&) = delete;
  Jpeg& operator=(const Jpeg&) = delete;

  bool ok() const { return ok_; }
  int width() const { return static_cast<int>(reader_.codec.image_width); }
  int height() const { return static_cast<int>(reader_.codec.image_height); }
  std::string error() const {
    if (std::strcmp(reader_.message, "truncated") == 0) return "the JPEG file is truncated";
    return "the JPEG file is broken (" + std::string(reader_.message) + ")";
  }

  Decoded decode(const Window* window, const DecodeOptions& options);

 private:
  bool read_window(const Window& window, Pixels& out);
  bool read_cmyk(const Window& window, Pixels& out);
  bool has_end() const;
  Decoded failure() const { return {{}, error()}; }

  Reader reader_;
  const std::uint8_t* end_;
  bool ok_;
};

// Whether an end marker follows. Inside of the coded data 0xff is always followed by 0 or a restart
// marker.
bool Jpeg::has_end() const {
  if (jpeg_has_multiple_scans(const_cast<j_decompress_ptr>(&reader_.codec))) return true;
  const std::uint8_t* begin = reader_.source.next_input_byte;
  for (const std::uint8_t* p = end_ - 1; p > begin; --p) {
    if (p[-1] == 0xff && p[0] == 0xd9) return true;
  }
  return false;
}

// Pillow's inverted CMYK to RGB: its loader takes every 4-channel JPEG for one of Adobe's, which
// store 255 - ink.
void cmyk_to_rgb(const std::uint8_t* in, std::uint8_t* out, int count) {
  for (int i = 0; i < count; ++i, in += 4, out += 3) {
    const int light = in[3];
    for (int c = 0; c < 3; ++c) {
      const int product = (255 - in[c]) * light + 128;
      out[c] = static_cast<std::uint8_t>(light - ((product + (product >> 8)) >> 8));
    }
  }
}

bool Jpeg::read_cmyk(const Window& window, Pixels& out) {
  Scratch row(static_cast<std::size_t>(width()) * 4);
  for (int y = 0; y < height(); ++y) {
    if (!read_row(reader_, row.data())) return false;
    if (y < window.top || y >= window.top + window.height) continue;
    cmyk_to_rgb(row.data() + window.left * 4, out.row(y - window.top), window.width);
  }
  return finish(reader_);
}

bool Jpeg::read_window(const Window& window, Pixels& out) {
  const bool whole_rows = window.width == width();
  if (whole_rows && window.height == height()) {
    for (int y = 0; y < height(); ++y) {
      if (!read_row(reader_, out.row(y))) return false;
    }
    return finish(reader_);
  }
  // A file that ends early must fail for every window alike.
  const bool stop_early = has_end();
  JDIMENSION left = 0, columns = static_cast<JDIMENSION>(width());
  if (!whole_rows && stop_early) {
    // Upsampling blends with the neighbouring columns: one block more on each side keeps the
    // window's own exact.
    const int margin = reader_.codec.max_h_samp_factor * DCTSIZE;
    const int from = std::max(window.left - margin, 0);
    const int to = std::min(window.left + window.width + margin, width());
    left = static_cast<JDIMENSION>(from);
    columns = static_cast<JDIMENSION>(to - from);
    if (!restrict_columns(reader_, &left, &columns)) return false;
  }
  if (!skip_rows(reader_, static_cast<JDIMENSION>(window.top))) return false;
  const int channels = out.channels();
  Scratch row(static_cast<std::size_t>(columns) * static_cast<std::size_t>(channels));
  const std::uint8_t* used = row.data() + (window.left - static_cast<int>(left)) * channels;
  for (int y = 0; y < window.height; ++y) {
    if (!read_row(reader_, row.data())) return false;
    std::memcpy(out.row(y), used, static_cast<std::size_t>(out.row_bytes()));
  }
  if (stop_early) return true;
  for (int y = window.top + window.height; y < height(); ++y) {
    if (!read_row(reader_, row.data())) return false;
  }
  return finish(reader_);
}

Decoded Jpeg::decode(const Window* window, const DecodeOptions& options) {
  std::string error = check_size("JPEG", width(), height(), options.max_pixels);
  const Window whole{0, 0, height(), width()};
  if (error.empty() && window != nullptr) error = check_window(*window, width(), height());
  const int components = reader_.codec.num_components;
  if (error.empty() && components != 1 && components != 3 && components != 4) {
    error = "the JPEG image has " + std::to_string(components) + " components";
  }
  if (!error.empty()) return {{}, error};
  const Window& part = window != nullptr ? *window : whole;
  const J_COLOR_SPACE colors = components == 1   ? JCS_GRAYSCALE
                               : components == 3 ? JCS_RGB
                                                 : JCS_CMYK;
  if (!start(reader_, colors)) return failure();
  Decoded out{Pixels(part.width, part.height, components == 1 ? 1 : 3), {}};
  const bool read = components == 4 ? read_cmyk(part, out.pixels) : read_window(part, out.pixels);
  return read ? std::move(out) : failure();
}

}  // namespace

Decoded decode_jpeg(Bytes file, const Window* window, const DecodeOptions& options) {
  Jpeg jpeg(file);
  if (!jpeg.ok()) return {{}, jpeg.error()};
  return jpeg.decode(window, options);
}

DecodedSize jpeg_size(Bytes file) {
  const Jpeg jpeg(file);
  if (!jpeg.ok()) return {0, 0, jpeg.error()};
  return {jpeg.width(), jpeg.height(), {}};
}

}  // namespace vissl::host::pixel
