// Cutout on the SDK's fake host: no vissl-host needed. Arguments: the plugin's file.
#include <doctest/doctest.h>

#include <vissl/test.hpp>

using vissl::test::FakeImage;
using vissl::test::Host;
using vissl::test::Transform;

namespace {

std::size_t count(const FakeImage& image, float value) {
  std::size_t n = 0;
  for (const float pixel : image.pixels) n += pixel == value ? 1 : 0;
  return n;
}

FakeImage flat() {
  FakeImage image = FakeImage::pattern(9, 9);
  for (float& pixel : image.pixels) pixel = 7;
  return image;
}

}  // namespace

TEST_CASE("cutout: a square, cut off at the border, takes the gray value in all channels") {
  Host host;
  host.load(PLUGIN);
  const Transform cutout(host.component("transform", "cutout").create("size = 3\ngray = 200"));
  bool whole = false;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    FakeImage image = flat();
    cutout(image, seed);
    const std::size_t erased = count(image, 200);
    CHECK(erased % 3 == 0);  // the three channels of each pixel
    CHECK(erased >= 3 * 4);  // a corner keeps two rows and two columns
    CHECK(erased <= 3 * 9);
    CHECK(erased + count(image, 7) == image.pixels.size());
    whole = whole || erased == 3 * 9;
  }
  CHECK(whole);
}

TEST_CASE("cutout: the same stream erases the same square, p = 0 none") {
  Host host;
  host.load(PLUGIN);
  const Transform cutout(host.component("transform", "cutout").create("size = 4"));
  FakeImage first = flat(), second = flat(), third = flat();
  cutout(first, 5);
  cutout(second, 5);
  CHECK(first.pixels == second.pixels);
  const Transform never(host.component("transform", "cutout").create("size = 4\np = 0.0"));
  never(third, 5);
  CHECK(count(third, 7) == third.pixels.size());
}

TEST_CASE("cutout: a wrong size and a float image are refused") {
  Host host;
  host.load(PLUGIN);
  CHECK_THROWS(host.component("transform", "cutout").create("size = 0"));
  const Transform cutout(host.component("transform", "cutout").create("size = 4"));
  FakeImage image = flat();
  image.is_float = true;
  CHECK_THROWS_WITH(cutout(image), "cutout works on 8-bit images: put it before ToTensor");
}
