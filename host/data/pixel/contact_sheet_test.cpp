#include "host/data/pixel/contact_sheet.hpp"

#include <doctest/doctest.h>

#include "host/data/pixel/color.hpp"
#include "host/data/pixel/decode.hpp"
#include "host/data/pixel/encode_png.hpp"
#include "host/data/pixel/test_images.hpp"
#include "host/files/error.hpp"

using namespace vissl::host;
using namespace vissl::host::pixel;

TEST_CASE("encode_png: what was written is read back, gray and RGB, also from a window") {
  for (const int channels : {1, 3}) {
    const Pixels image = test::draw(1, 37, 21, channels);
    const View part = image.view().crop(3, 5, 11, 13);
    const auto file = encode_png(part);
    const Decoded back = decode(file, {.gray = channels == 1});
    CHECK(back.error.empty());
    CHECK(test::equal(back.pixels, part));
    CHECK(encode_png(part) == file);
  }
  CHECK_THROWS_AS(encode_png(Pixels(2, 2, 4, 0)), Error);
}

TEST_CASE("contact sheet: images stand in cells of the largest size on white") {
  const Pixels large = test::draw(0, 10, 6, 3), small = test::draw(0, 4, 8, 1),
               third = test::draw(1, 3, 3, 3);
  const std::vector<View> images{large, small, third};
  const Pixels sheet = contact_sheet(images, 2, 2);
  CHECK(sheet.width() == 2 + 10 + 2 + 10 + 2);
  CHECK(sheet.height() == 2 + 8 + 2 + 8 + 2);
  CHECK(test::equal(sheet.view().crop(2, 2, 6, 10), large));
  CHECK(test::equal(sheet.view().crop(2, 14, 8, 4), to_rgb(small)));
  CHECK(test::equal(sheet.view().crop(12, 2, 3, 3), third));
  std::size_t white = 0;
  for (std::size_t i = 0; i < sheet.size_bytes(); ++i) white += sheet.data()[i] == 255 ? 1 : 0;
  CHECK(white >= sheet.size_bytes() - 3 * (60 + 32 + 9));
  CHECK(test::equal(sheet.view().crop(8, 2, 2, 10), Pixels(10, 2, 3, 255)));
  CHECK(test::equal(sheet.view().crop(12, 14, 10, 12), Pixels(12, 10, 3, 255)));
}

TEST_CASE("contact sheet: fewer images than columns make a narrow sheet, and nonsense is refused") {
  const Pixels image = test::draw(0, 5, 4, 3);
  const std::vector<View> images{image};
  CHECK(contact_sheet(images, 8, 0).width() == 5);
  CHECK_THROWS_AS(contact_sheet({}, 2, 0), Error);
  CHECK_THROWS_AS(contact_sheet(images, 0, 0), Error);
  CHECK_THROWS_AS(contact_sheet(images, 1, -1), Error);
  CHECK_THROWS_AS(contact_sheet(images, 1, 1 << 30), Error);
}
