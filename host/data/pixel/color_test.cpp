#include "host/data/pixel/color.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "host/data/pixel/test_images.hpp"
#include "host/files/error.hpp"

using namespace vissl::host;
using namespace vissl::host::pixel;

namespace {

void check_golden(const char* name, std::size_t at_least,
                  const std::function<void(Pixels&, double)>& operation) {
  const auto cases = test::golden(name);
  CHECK(cases.size() >= at_least);
  for (const auto& one : cases) {
    Pixels image = one.input();
    operation(image, one.number(0));
    CHECK_MESSAGE(test::describe(image) == one.expected, one.line);
  }
}

// The hue shift as Pillow and torchvision write it, one pixel at a time.
void shift_plainly(std::uint8_t* rgb, int shift) {
  const int r = rgb[0], g = rgb[1], b = rgb[2];
  const int high = std::max({r, g, b}), low = std::min({r, g, b});
  int h = 0, s = 0;
  if (high != low) {
    const float range = static_cast<float>(high - low);
    const float rc = static_cast<float>(high - r) / range;
    const float gc = static_cast<float>(high - g) / range;
    const float bc = static_cast<float>(high - b) / range;
    float hue = bc - gc;
    if (r != high) {
      hue = static_cast<float>(g == high ? 2.0 + static_cast<double>(rc) - static_cast<double>(bc)
                                         : 4.0 + static_cast<double>(gc) - static_cast<double>(rc));
    }
    hue = static_cast<float>(std::fmod(static_cast<double>(hue) / 6.0 + 1.0, 1.0));
    h = static_cast<int>(static_cast<double>(hue) * 255.0);
    s = static_cast<int>(static_cast<double>(range / static_cast<float>(high)) * 255.0);
  }
  h = (h + shift) & 255;
  const double v = high;
  const int sector = static_cast<int>(std::floor(h * 6.0 / 255.0));
  const float f = static_cast<float>(h * 6.0 / 255.0 - sector);
  const float fs = static_cast<float>(s / 255.0);
  const auto round8 = [](double x) { return static_cast<std::uint8_t>(std::lround(x)); };
  const std::uint8_t top = static_cast<std::uint8_t>(high);
  const std::uint8_t p = round8(v * (1.0 - static_cast<double>(fs)));
  const std::uint8_t q = round8(v * (1.0 - static_cast<double>(fs * f)));
  const std::uint8_t t =
      round8(v * (1.0 - static_cast<double>(fs) * (1.0 - static_cast<double>(f))));
  const std::uint8_t out[6][3] = {{top, t, p}, {q, top, p}, {p, top, t},
                                  {p, q, top}, {t, p, top}, {top, p, q}};
  for (int c = 0; c < 3; ++c) rgb[c] = s == 0 ? top : out[sector % 6][c];
}

}  // namespace

TEST_CASE("color: brightness, contrast, saturation and sharpness give Pillow's pixels") {
  check_golden("brightness", 42, adjust_brightness);
  check_golden("contrast", 42, adjust_contrast);
  check_golden("saturation", 42, adjust_saturation);
  check_golden("sharpness", 42, adjust_sharpness);
}

TEST_CASE("color: hue shifts give torchvision's pixels") {
  check_golden("hue", 36, adjust_hue);
}

TEST_CASE("color: hue shifts agree with the plain formula over the colour cube") {
  const std::uint8_t steps[] = {0,   1,   2,   3,   31,  32,  51,  64,  85,  86,
                                100, 127, 128, 170, 171, 200, 213, 253, 254, 255};
  const int n = static_cast<int>(std::size(steps));
  Pixels cube(256, n * n, 3);
  for (int y = 0; y < n * n; ++y) {
    for (int x = 0; x < 256; ++x) {
      std::uint8_t* pixel = cube.row(y) + 3 * x;
      pixel[0] = static_cast<std::uint8_t>(x);
      pixel[1] = steps[y / n];
      pixel[2] = steps[y % n];
    }
  }
  for (const int shift : {0, 1, 20, 127, -127, -64}) {
    Pixels shifted = cube.clone();
    adjust_hue(shifted, shift / 255.0 + (shift > 0 ? 1e-6 : shift < 0 ? -1e-6 : 0));
    Pixels expected = cube.clone();
    for (std::uint8_t* p = expected.data(); p < expected.data() + expected.size_bytes(); p += 3) {
      shift_plainly(p, shift);
    }
    CHECK_MESSAGE(test::equal(shifted, expected), "shift " << shift);
  }
}

TEST_CASE("color: gray in one and in three channels gives Pillow's pixels") {
  for (const char* name : {"gray", "gray3"}) {
    const auto cases = test::golden(name);
    CHECK(cases.size() >= 4);
    for (const auto& one : cases) {
      Pixels image = one.input();
      if (one.operation == "gray") {
        image = to_gray(image);
      } else {
        replace_by_gray(image);
      }
      CHECK_MESSAGE(test::describe(image) == one.expected, one.line);
    }
  }
}

TEST_CASE("color: posterize, solarize, invert, autocontrast and equalize give Pillow's pixels") {
  check_golden("posterize", 24, [](Pixels& image, double bits) { posterize(image, int(bits)); });
  check_golden("solarize", 24, solarize);
  check_golden("invert", 6, [](Pixels& image, double) { invert(image); });
  check_golden("autocontrast", 6, [](Pixels& image, double) { autocontrast(image); });
  check_golden("equalize", 6, [](Pixels& image, double) { equalize(image); });
}

TEST_CASE("color: an extreme factor saturates") {
  Pixels image = test::draw(0, 40, 30, 3);
  adjust_saturation(image, 1e30);
  adjust_brightness(image, 1e30);
  for (std::size_t i = 0; i < image.size_bytes(); ++i) {
    CHECK((image.data()[i] == 0 || image.data()[i] == 255));
  }
}

TEST_CASE("color: what cannot be done is refused") {
  Pixels four(3, 3, 4, 7);
  Pixels rgb(3, 3, 3, 7);
  CHECK_THROWS_WITH_AS(adjust_brightness(four, 1.2),
                       "colour operations take 1 or 3 channels, not 4 (3 x 3 pixels)", Error);
  CHECK_THROWS_AS(adjust_hue(four, 0.1), Error);
  CHECK_THROWS_AS(equalize(four), Error);
  CHECK_THROWS_AS(to_gray(four), Error);
  CHECK_THROWS_AS(adjust_hue(rgb, 0.51), Error);
  CHECK_THROWS_AS(adjust_hue(rgb, std::nan("")), Error);
  CHECK_THROWS_AS(adjust_brightness(rgb, std::nan("")), Error);
  CHECK_THROWS_AS(adjust_saturation(rgb, std::nan("")), Error);
  CHECK_THROWS_AS(posterize(rgb, 0), Error);
  CHECK_THROWS_AS(posterize(rgb, 9), Error);
}
