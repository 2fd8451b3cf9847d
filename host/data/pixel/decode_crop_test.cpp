// Windows of JPEG files over chroma samplings, scan kinds and odd sizes. The files are made here,
// because few writers make all of them.
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>

#include <jpeglib.h>

#include "host/data/pixel/decode.hpp"
#include "host/data/pixel/test_images.hpp"

using namespace vissl::host::pixel;

namespace {

struct Kind {
  int h, v;  // samples of luma per sample of chroma
  bool progressive;
  bool apart;  // one scan per component
};

std::vector<std::uint8_t> encode_jpeg(const Pixels& image, const Kind& kind) {
  jpeg_compress_struct codec;
  jpeg_error_mgr errors;
  codec.err = jpeg_std_error(&errors);
  jpeg_create_compress(&codec);
  unsigned char* data = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&codec, &data, &size);
  codec.image_width = static_cast<JDIMENSION>(image.width());
  codec.image_height = static_cast<JDIMENSION>(image.height());
  codec.input_components = image.channels();
  codec.in_color_space = image.channels() == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&codec);
  jpeg_set_quality(&codec, 75, TRUE);
  codec.comp_info[0].h_samp_factor = kind.h;
  codec.comp_info[0].v_samp_factor = kind.v;
  jpeg_scan_info scans[3] = {};
  if (kind.apart && image.channels() == 3) {
    for (int i = 0; i < 3; ++i) scans[i] = {1, {i, 0, 0, 0}, 0, 63, 0, 0};
    codec.scan_info = scans;
    codec.num_scans = 3;
  }
  if (kind.progressive) jpeg_simple_progression(&codec);
  jpeg_start_compress(&codec, TRUE);
  while (codec.next_scanline < codec.image_height) {
    JSAMPROW row = const_cast<JSAMPROW>(image.row(static_cast<int>(codec.next_scanline)));
    jpeg_write_scanlines(&codec, &row, 1);
  }
  jpeg_finish_compress(&codec);
  jpeg_destroy_compress(&codec);
  std::vector<std::uint8_t> file(data, data + size);
  std::free(data);
  return file;
}

void check_windows(const Pixels& image, const Kind& kind) {
  const auto file = encode_jpeg(image, kind);
  const Decoded whole = decode(file);
  REQUIRE(whole.ok());
  const int w = image.width(), h = image.height();
  std::uint32_t state = static_cast<std::uint32_t>(w * 1000 + h);
  const auto below = [&state](int n) {
    state = state * 1664525u + 1013904223u;
    return static_cast<int>((state >> 8) % static_cast<std::uint32_t>(n));
  };
  for (int round = 0; round < 12; ++round) {
    const int top = below(h), left = below(w);
    const Window part{top, left, 1 + below(h - top), 1 + below(w - left)};
    const Decoded cut = decode_crop(file, part);
    REQUIRE_MESSAGE(cut.ok(), cut.error);
    const View expected = whole.pixels.view().crop(part.top, part.left, part.height, part.width);
    CHECK_MESSAGE(test::equal(cut.pixels, expected),
                  w << "x" << h << " sampling " << kind.h << "x" << kind.v << " window " << part.top
                    << " " << part.left << " " << part.height << " " << part.width);
  }
}

}  // namespace

TEST_CASE("decode: windows are exact for every chroma sampling, scan kind and odd size") {
  for (const auto& [w, h] : {std::pair{97, 83}, {64, 48}, {17, 120}, {130, 7}, {1, 33}, {8, 8}}) {
    for (const auto& [horizontal, vertical] :
         {std::pair{1, 1}, {2, 1}, {1, 2}, {2, 2}, {4, 1}, {4, 2}}) {
      for (const int scans : {0, 1, 2}) {
        check_windows(test::draw(scans % 2, w, h, 3),
                      {horizontal, vertical, scans == 1, scans == 2});
      }
    }
    check_windows(test::draw(0, w, h, 1), {1, 1, false, false});
    check_windows(test::draw(1, w, h, 1), {1, 1, true, false});
    check_windows(test::draw(1, w, h, 1), {2, 2, false, false});
  }
}
