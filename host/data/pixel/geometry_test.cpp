#include "host/data/pixel/geometry.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <map>

#include "host/data/pixel/test_images.hpp"
#include "host/files/error.hpp"

using namespace vissl::host;
using namespace vissl::host::pixel;

namespace {

void check_golden(const char* name, std::size_t count,
                  const std::function<Pixels(const View&, const test::Case&)>& operation) {
  const auto cases = test::golden(name);
  CHECK(cases.size() == count);
  for (const auto& one : cases) {
    CHECK_MESSAGE(test::describe(operation(one.input(), one)) == one.expected, one.line);
  }
}

Fill fill_of(const test::Case& one, std::size_t at) {
  Fill fill{};
  for (std::size_t c = 0; c < 3; ++c) fill[c] = static_cast<std::uint8_t>(one.integer(at + c));
  return fill;
}

}  // namespace

TEST_CASE("geometry: flips and quarter turns give Pillow's pixels") {
  check_golden("flip_horizontal", 4, [](const View& v, const auto&) { return flip_horizontal(v); });
  check_golden("flip_vertical", 4, [](const View& v, const auto&) { return flip_vertical(v); });
  check_golden("rotate_quarters", 24, [](const View& v, const test::Case& one) {
    return rotate_quarters(v, one.integer(0));
  });
}

TEST_CASE("geometry: rotations by any angle give Pillow's pixels") {
  check_golden("rotate", 176, [](const View& v, const test::Case& one) {
    const bool nearest = one.arguments[1] == "nearest";
    return rotate(v, one.number(0), nearest ? Interpolation::nearest : Interpolation::bilinear,
                  fill_of(one, 2));
  });
}

TEST_CASE("geometry: crops, middle crops and borders give torchvision's pixels") {
  check_golden("crop_padded", 20, [](const View& v, const test::Case& one) {
    return crop_padded(v, one.integer(0), one.integer(1), one.integer(2), one.integer(3));
  });
  check_golden("center_crop", 28, [](const View& v, const test::Case& one) {
    return center_crop(v, one.integer(0), one.integer(1));
  });
  static const std::map<std::string, PadMode> modes{{"constant", PadMode::constant},
                                                    {"edge", PadMode::edge},
                                                    {"reflect", PadMode::reflect},
                                                    {"symmetric", PadMode::symmetric}};
  check_golden("pad", 48, [](const View& v, const test::Case& one) {
    return pad(v, one.integer(0), one.integer(1), one.integer(2), one.integer(3),
               modes.at(one.arguments[4]), fill_of(one, 5));
  });
}

TEST_CASE("geometry: four quarter turns give the image back") {
  const Pixels image = test::draw(0, 17, 11, 4);
  Pixels turned = image.clone();
  for (int i = 0; i < 4; ++i) turned = rotate_quarters(turned, 1);
  CHECK(test::equal(turned, image));
  CHECK(test::equal(rotate_quarters(rotate_quarters(image, 1), -1), image));
}

TEST_CASE("geometry: what cannot be done is refused") {
  const Pixels image = test::draw(0, 5, 4, 3);
  CHECK_THROWS_AS(rotate(image, NAN, Interpolation::nearest), Error);
  CHECK_THROWS_WITH_AS(rotate(image, 10, Interpolation::lanczos),
                       "an image is rotated by nearest or bilinear (5 x 4 pixels)", Error);
  CHECK_THROWS_AS(pad(image, -1, 0, 0, 0), Error);
  CHECK_THROWS_AS(crop_padded(image, 0, 0, 0, 3), Error);
  CHECK_THROWS_AS(center_crop(image, 3, -3), Error);
}
