#include "host/data/pixel/blur.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "host/data/pixel/test_images.hpp"
#include "host/files/error.hpp"

using namespace vissl::host;
using namespace vissl::host::pixel;

TEST_CASE("blur: every radius and shape gives Pillow's pixels") {
  const auto cases = test::golden("blur");
  CHECK(cases.size() == 60);
  for (const auto& one : cases) {
    Pixels image = one.input();
    gaussian_blur(image, one.number(0));
    CHECK_MESSAGE(test::describe(image) == one.expected, one.line);
  }
}

TEST_CASE("blur: a flat image stays flat") {
  Pixels image(50, 40, 3, 201);
  gaussian_blur(image, 3.3);
  CHECK(test::equal(image, Pixels(50, 40, 3, 201)));
}

TEST_CASE("blur: negative and unending radii are refused") {
  Pixels image(5, 4, 3, 0);
  CHECK_THROWS_AS(gaussian_blur(image, -0.1), Error);
  CHECK_THROWS_AS(gaussian_blur(image, INFINITY), Error);
  CHECK_THROWS_AS(gaussian_blur(image, NAN), Error);
}
