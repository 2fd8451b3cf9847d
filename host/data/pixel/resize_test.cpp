#include "host/data/pixel/resize.hpp"

#include <doctest/doctest.h>

#include <map>

#include "host/data/pixel/test_images.hpp"
#include "host/files/error.hpp"

using namespace vissl::host;
using namespace vissl::host::pixel;

namespace {

Interpolation interpolation(const std::string& name) {
  static const std::map<std::string, Interpolation> names{
      {"nearest", Interpolation::nearest},   {"box", Interpolation::box},
      {"bilinear", Interpolation::bilinear}, {"hamming", Interpolation::hamming},
      {"bicubic", Interpolation::bicubic},   {"lanczos", Interpolation::lanczos}};
  return names.at(name);
}

}  // namespace

TEST_CASE("resize: every filter, box and size gives Pillow's pixels") {
  const auto cases = test::golden("resize");
  CHECK(cases.size() > 150);
  for (const auto& one : cases) {
    const Box box{static_cast<float>(one.number(1)), static_cast<float>(one.number(2)),
                  static_cast<float>(one.number(3)), static_cast<float>(one.number(4))};
    const Pixels out =
        resize(one.input(), one.integer(5), one.integer(6), interpolation(one.arguments[0]), box);
    CHECK_MESSAGE(test::describe(out) == one.expected, one.line);
  }
}

TEST_CASE("resize: resized_crop gives torchvision's pixels") {
  const auto cases = test::golden("resized_crop");
  CHECK(cases.size() == 4);
  for (const auto& one : cases) {
    const Pixels out =
        resized_crop(one.input(), one.integer(1), one.integer(2), one.integer(3), one.integer(4),
                     one.integer(5), one.integer(6), interpolation(one.arguments[0]));
    CHECK_MESSAGE(test::describe(out) == one.expected, one.line);
  }
}

TEST_CASE("resize: a crop window is read in place and nothing around it matters") {
  Pixels image = test::draw(0, 90, 80, 3);
  const Pixels cut(image.view().crop(11, 13, 50, 41));
  const Pixels expected = resize(cut, 24, 30, Interpolation::bicubic);
  CHECK(test::equal(resized_crop(image, 11, 13, 50, 41, 24, 30, Interpolation::bicubic), expected));
  Pixels changed = image.clone();
  for (int y = 0; y < 11; ++y) std::fill_n(changed.row(y), changed.row_bytes(), std::uint8_t{0});
  CHECK(
      test::equal(resized_crop(changed, 11, 13, 50, 41, 24, 30, Interpolation::bicubic), expected));
}

TEST_CASE("resize: the size of the image itself gives a copy") {
  const Pixels image = test::draw(0, 19, 23, 3);
  for (const Interpolation how : {Interpolation::nearest, Interpolation::lanczos}) {
    const Pixels out = resize(image, 23, 19, how);
    CHECK(test::equal(out, image));
    CHECK(out.data() != image.data());
  }
}

TEST_CASE("resize: empty sizes, and boxes and windows that leave the image, are refused") {
  const Pixels image = test::draw(0, 10, 8, 3);
  CHECK_THROWS_AS(resize(image, 0, 4, Interpolation::bilinear), Error);
  CHECK_THROWS_AS(resize(image, 4, -1, Interpolation::bilinear), Error);
  CHECK_THROWS_AS(resize(image, 4, 4, Interpolation::bilinear, {0, 0, 10.5f, 8}), Error);
  CHECK_THROWS_AS(resize(image, 4, 4, Interpolation::bilinear, {-1, 0, 10, 8}), Error);
  CHECK_THROWS_AS(resize(image, 4, 4, Interpolation::bilinear, {3, 0, 3, 8}), Error);
  CHECK_THROWS_WITH_AS(
      resized_crop(image, 2, 0, 7, 10, 4, 4, Interpolation::bilinear),
      "a crop of an image must be at least one pixel and lie inside of it (10 x 7 pixels)", Error);
}
