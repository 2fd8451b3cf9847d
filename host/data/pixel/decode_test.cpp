#include "host/data/pixel/decode.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <iterator>

#include "host/data/pixel/color.hpp"
#include "host/data/pixel/test_images.hpp"

using namespace vissl::host::pixel;

namespace {

using File = std::vector<std::uint8_t>;

File read(const std::string& name) {
  std::ifstream file(test::golden_path(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::pair<std::string, std::string>> golden_files() {
  std::ifstream list(test::golden_path("files.txt"));
  std::vector<std::pair<std::string, std::string>> files;
  for (std::string name, expected; list >> name && std::getline(list >> std::ws, expected);) {
    files.emplace_back(name, expected);
  }
  return files;
}

// Where the sizes of a baseline JPEG stand (height, then width, two bytes each), behind the marker
// of its frame.
std::size_t frame_size_at(const File& jpeg) {
  for (std::size_t i = 2; i + 9 < jpeg.size(); i += 2 + jpeg[i + 2] * 256u + jpeg[i + 3]) {
    if (jpeg[i + 1] == 0xc0) return i + 5;
  }
  return 0;
}

void check_same_verdict(Bytes file, const std::string& what) {
  const Decoded whole = decode(file);
  const Decoded corner = decode_crop(file, {0, 0, 1, 1});
  CHECK_MESSAGE(whole.ok() == corner.ok(), what);
  CHECK_MESSAGE(whole.ok() != whole.pixels.empty(), what);
  CHECK_MESSAGE(corner.ok() != corner.pixels.empty(), what);
}

}  // namespace

TEST_CASE("decode: every kind of file gives Pillow's pixels") {
  const auto files = golden_files();
  CHECK(files.size() == 61);
  for (const auto& [name, expected] : files) {
    const File file = read(name);
    const Decoded image = decode(file);
    CHECK_MESSAGE(image.ok(), name << ": " << image.error);
    CHECK_MESSAGE(test::describe(image.pixels) == expected, name);
    const DecodedSize size = decode_size(file);
    CHECK_MESSAGE((size.ok() && size.width == image.pixels.width()), name);
    CHECK_MESSAGE(size.height == image.pixels.height(), name);
    const Decoded gray = decode(file, {.gray = true});
    CHECK_MESSAGE(test::equal(gray.pixels, to_gray(image.pixels)), name);
  }
}

TEST_CASE("decode: a window of every kind of file equals the window of the whole") {
  for (const auto& [name, expected] : golden_files()) {
    const File file = read(name);
    const Decoded whole = decode(file);
    const int w = whole.pixels.width(), h = whole.pixels.height();
    for (const Window& part :
         {Window{0, 0, h, w}, Window{h / 2, w / 3, (h + 1) / 2, 1}, Window{h - 1, 0, 1, w},
          Window{h / 4, w / 4, (h + 3) / 4, w - w / 4}}) {
      const Decoded cut = decode_crop(file, part);
      CHECK_MESSAGE(cut.ok(), name << ": " << cut.error);
      const View expected_part =
          whole.pixels.view().crop(part.top, part.left, part.height, part.width);
      CHECK_MESSAGE(test::equal(cut.pixels, expected_part), name);
    }
    CHECK(decode_crop(file, {0, 0, h + 1, w}).error ==
          "the window of " + std::to_string(w) + " x " + std::to_string(h + 1) +
              " pixels at (0, 0) leaves the image of " + std::to_string(w) + " x " +
              std::to_string(h));
  }
}

TEST_CASE("decode: a file cut short anywhere is an error or whole, for every window alike") {
  for (const char* name :
       {"color_420.jpg", "color_444.jpg", "progressive.jpg", "gray.jpg", "cmyk.jpg",
        "noise_420.jpg", "palette_8bit.png", "type6_8bit_interlaced.png", "palette.bmp",
        "color.ppm", "lossless.webp", "lossy.webp", "lzw.tif", "tiled.tif", "planes.tif"}) {
    const File file = read(name);
    const std::uint64_t expected =
        test::hash(decode(file).pixels.data(), decode(file).pixels.size_bytes());
    std::size_t errors = 0;
    for (std::size_t size = 0; size < file.size(); ++size) {
      // Its own allocation, so that a sanitizer sees reads past the end.
      const File start(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
      check_same_verdict(start, name);
      const Decoded image = decode(start);
      errors += image.ok() ? 0 : 1;
      if (image.ok()) CHECK(test::hash(image.pixels.data(), image.pixels.size_bytes()) == expected);
      if (size > 20 && size < file.size() / 2) CHECK_MESSAGE(!image.ok(), name << " at " << size);
    }
    CHECK_MESSAGE(errors + 40 > file.size(),
                  name);  // only the end marker or a checksum may be missing
  }
}

TEST_CASE("decode: the errors say what is wrong") {
  const File jpeg = read("color_420.jpg");
  const File half(jpeg.begin(), jpeg.begin() + static_cast<std::ptrdiff_t>(jpeg.size() / 2 + 200));
  CHECK(decode(half).error == "the JPEG file is truncated");
  CHECK(decode_crop(half, {0, 0, 4, 4}).error == "the JPEG file is truncated");
  const File png = read("type2_8bit.png");
  CHECK(decode(Bytes(png).first(png.size() / 2)).error == "the PNG file is truncated");
  CHECK(decode({}).error == "the file is empty");
  const File text{'h', 'e', 'l', 'l', 'o'};
  CHECK(decode(text).error ==
        "the file is not a JPEG, PNG, BMP, PNM, WebP or TIFF image (it starts with 68 65 6c 6c)");
  CHECK(decode_size(text).error == decode(text).error);
  File damaged = png;
  damaged[png.size() / 2] ^= 1;
  CHECK(decode(damaged).error.starts_with("the PNG file is broken ("));
  CHECK(decode(read("color.ppm"), {.max_pixels = 34}).error ==
        "the PNM image has 7 x 5 pixels, more than the limit of 34");
}

TEST_CASE("decode: sizes that lie are refused before memory is taken") {
  File jpeg = read("color_420.jpg");
  const std::size_t at = frame_size_at(jpeg);
  REQUIRE(at > 0);
  for (std::size_t i = 0; i < 4; ++i) jpeg[at + i] = 0xff;
  // 65535 is beyond the library's own limit of 65500.
  CHECK(
      decode(jpeg).error.starts_with("the JPEG file is broken (Maximum supported image dimension"));
  for (std::size_t i = 0; i < 4; i += 2) jpeg[at + i] = 0xf0;
  CHECK(decode(jpeg).error ==
        "the JPEG image has 61695 x 61695 pixels, more than the limit of 1000000000");
  CHECK(decode_size(jpeg).width == 61695);

  // A header of 30000 x 30000 pixels with its checksum, and next to no data.
  const File png{0x89, 'P', 'N', 'G', 0x0d, 0x0a, 0x1a, 0x0a, 0,    0, 0,    13,
                 'I',  'H', 'D', 'R', 0,    0,    0x75, 0x30, 0,    0, 0x75, 0x30,
                 8,    2,   0,   0,   0,    0xe9, 0x45, 0x6f, 0xed, 0, 0,    0,
                 0,    'I', 'D', 'A', 'T',  0x35, 0xaf, 0x06, 0x1e};
  CHECK(decode_size(png).width == 30000);
  CHECK(decode(png).error == "the PNG file is truncated");

  const std::string header = "P6 40000 40000 255\n";
  CHECK(decode(File(header.begin(), header.end())).error ==
        "the PNM image has 40000 x 40000 pixels, more than the limit of 1000000000");
  File bmp = read("color.bmp");
  bmp[18] = 0;
  CHECK(decode(bmp).error == "the BMP file names an impossible size, 0 x 5 pixels");
}

TEST_CASE("decode: damaged files never do more than fail") {
  std::uint32_t state = 12345;
  const auto next = [&state] { return state = state * 1664525u + 1013904223u, state >> 8; };
  for (const auto& [name, expected] : golden_files()) {
    const File file = read(name);
    for (int round = 0; round < 60; ++round) {
      File damaged = file;
      for (std::uint32_t k = 0; k <= next() % 4; ++k) {
        damaged[2 + next() % (file.size() - 2)] = static_cast<std::uint8_t>(next());
      }
      const Decoded image = decode(damaged, {.max_pixels = 10'000'000});
      CHECK_MESSAGE(image.ok() == image.error.empty(), name);
      CHECK_MESSAGE(image.ok() != image.pixels.empty(), name);
      const DecodedSize size = decode_size(damaged);
      if (image.ok()) CHECK_MESSAGE((size.ok() && size.width == image.pixels.width()), name);
      const Decoded part = decode_crop(damaged, {0, 0, 1, 1}, {.max_pixels = 10'000'000});
      CHECK_MESSAGE(part.ok() != part.pixels.empty(), name);
    }
  }
}
