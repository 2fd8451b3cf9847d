#include "host/data/pixel/image.hpp"

#include <doctest/doctest.h>

#include <utility>

#include "host/data/pixel/test_images.hpp"
#include "host/data/pixel/transpose.hpp"
#include "host/files/error.hpp"

using namespace vissl::host;
using namespace vissl::host::pixel;

TEST_CASE("image: pixels are aligned, packed, and copied only when asked to") {
  Pixels image = test::draw(0, 33, 7, 3);
  CHECK(reinterpret_cast<std::uintptr_t>(image.data()) % 64 == 0);
  CHECK(image.row(1) - image.row(0) == 99);
  Pixels copy = image.clone();
  CHECK(test::equal(copy, image));
  copy.row(3)[5] ^= 1;
  CHECK(!test::equal(copy, image));
  const std::uint8_t* data = image.data();
  const Pixels moved = std::move(image);
  CHECK(moved.data() == data);
  CHECK(Pixels().clone().empty());
}

TEST_CASE("image: a window points into the image and a window of a window too") {
  const Pixels image = test::draw(0, 20, 10, 3);
  const View part = image.view().crop(2, 3, 6, 9).crop(1, 4, 2, 5);
  CHECK(part.data == image.row(3) + 7 * 3);
  CHECK(part.stride == image.row_bytes());
  CHECK(Pixels(part).row(1)[14] == image.row(4)[11 * 3 + 2]);
  CHECK_THROWS_AS(part.crop(0, 0, 3, 5), Error);
  CHECK_THROWS_AS(part.crop(0, 1, 2, 5), Error);
  CHECK_THROWS_AS(part.crop(-1, 0, 1, 1), Error);
  CHECK_THROWS_AS(part.crop(0, 0, 0, 1), Error);
}

TEST_CASE("image: impossible sizes are refused with a sentence") {
  CHECK_THROWS_WITH_AS(Pixels(0, 5, 3), "an image needs at least one pixel (0 x 5 pixels)", Error);
  CHECK_THROWS_AS(Pixels(4, -1, 3), Error);
  CHECK_THROWS_AS(Pixels(4, 4, 2), Error);
}

TEST_CASE("transpose: every size is turned byte by byte and nothing else is written") {
  for (const auto& [rows, cols] :
       {std::pair{1, 1}, {3, 40}, {16, 16}, {17, 33}, {64, 15}, {50, 100}}) {
    const Pixels in = test::draw(0, cols, rows, 1);
    Pixels out(rows + 3, cols, 1, 7);
    transpose_bytes(in.data(), in.row_bytes(), rows, cols, out.data(), out.row_bytes());
    int wrong = 0;
    for (int c = 0; c < cols; ++c) {
      for (int r = 0; r < rows; ++r) wrong += out.row(c)[r] != in.row(r)[c];
      for (int r = rows; r < rows + 3; ++r) wrong += out.row(c)[r] != 7;
    }
    CHECK_MESSAGE(wrong == 0, rows << " x " << cols);
  }
}
