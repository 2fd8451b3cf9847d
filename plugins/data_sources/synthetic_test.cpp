#include <doctest/doctest.h>

#include <fstream>
#include <string>

#include "data_host.hpp"
#include "host/data/pixel/test_images.hpp"

using namespace vissl;

TEST_CASE("synthetic: random images are VISSL's, byte for byte") {
  std::ifstream golden(VISSL_SOURCE_DIR "/tests/golden/data/synthetic.txt");
  std::int64_t index = 0, size = 0;
  std::string expected;
  int cases = 0;
  while (golden >> index >> size >> expected) {
    CAPTURE(index);
    CAPTURE(size);
    test::DataHost host;
    test::DataSource source(host.make("data_source", "synthetic",
                                      "random_images = true\nsize = " + std::to_string(size)));
    host::Image image = source.read(index);
    const host::pixel::Pixels& pixels = image.pixels();
    CHECK(pixels.width() == size);
    CHECK(host::pixel::test::hash(pixels.data(), pixels.size_bytes()) ==
          std::stoull(expected, nullptr, 16));
    ++cases;
  }
  CHECK(cases == 6);
}

TEST_CASE("synthetic: by default 50000 gray images of 224 pixels with the label 0") {
  test::DataHost host;
  test::DataSource source(host.make("data_source", "synthetic"));
  CHECK(source.length() == 50000);
  CHECK(source.path(49999) == "fake_path_49999");
  CHECK(to_scalar<std::int64_t>(source.label(49999)) == 0);
  host::Image image = source.read(3);
  const host::pixel::Pixels& pixels = image.pixels();
  CHECK(pixels.width() == 224);
  CHECK(pixels.height() == 224);
  CHECK(pixels.channels() == 3);
  for (std::size_t i = 0; i < pixels.size_bytes(); ++i) REQUIRE(pixels.data()[i] == 128);
}

TEST_CASE("synthetic: labels run through their number") {
  test::DataHost host;
  test::DataSource source(
      host.make("data_source", "synthetic", "length = 7\nnum_labels = 3\nsize = 1"));
  CHECK(source.length() == 7);
  CHECK(source.class_count() == 3);
  for (std::int64_t i = 0; i < 7; ++i) CHECK(to_scalar<std::int64_t>(source.label(i)) == i % 3);
}

TEST_CASE("synthetic: random images below 16 pixels are refused") {
  test::DataHost host;
  CHECK_THROWS_AS(host.make("data_source", "synthetic", "random_images = true\nsize = 15"),
                  Failure);
}
