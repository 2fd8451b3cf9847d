#include "host/data/pixel/tables.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <vector>

#include "host/data/pixel/test_images.hpp"
#include "host/files/error.hpp"

using namespace vissl::host;
using namespace vissl::host::pixel;

namespace {

Tables imagenet() {
  Tables tables = to_tensor_tables(3);
  normalize_tables(tables, std::vector{0.485, 0.456, 0.406}, std::vector{0.229, 0.224, 0.225});
  return tables;
}

}  // namespace

TEST_CASE("tables: Normalize after ToTensor gives torch's bits for every byte") {
  std::ifstream file(test::golden_path("tables.txt"));
  const Tables tables = imagenet();
  int read = 0;
  for (std::string bits; file >> bits; ++read) {
    const float value =
        tables.value[static_cast<std::size_t>(read / 256)][static_cast<std::size_t>(read % 256)];
    CHECK_MESSAGE(std::bit_cast<std::uint32_t>(value) == std::stoul(bits, nullptr, 16), read);
  }
  CHECK(read == 768);
}

TEST_CASE("tables: ToTensor alone runs from 0 to 1") {
  const Tables tables = to_tensor_tables(1);
  CHECK(tables.value[0][0] == 0.0f);
  CHECK(tables.value[0][255] == 1.0f);
  CHECK(tables.value[0][51] == 0.2f);
}

TEST_CASE("tables: a window is written plane by plane at the given strides and nowhere else") {
  const Pixels image = test::draw(0, 20, 15, 3);
  const View window = image.view().crop(2, 3, 5, 7);
  const Tables tables = imagenet();
  constexpr std::ptrdiff_t kRow = 9, kChannel = 60;
  std::vector<float> out(3 * kChannel, -100.0f);
  write_chw(window, tables, out.data(), kChannel, kRow);
  std::size_t written = 0;
  for (std::ptrdiff_t i = 0; i < 3 * kChannel; ++i) {
    const std::ptrdiff_t c = i / kChannel, y = i % kChannel / kRow, x = i % kChannel % kRow;
    if (y < 5 && x < 7) {
      const std::uint8_t byte = window.row(static_cast<int>(y))[3 * x + c];
      CHECK(out[static_cast<std::size_t>(i)] == tables.value[static_cast<std::size_t>(c)][byte]);
      ++written;
    } else {
      CHECK(out[static_cast<std::size_t>(i)] == -100.0f);
    }
  }
  CHECK(written == 105);
}

TEST_CASE("tables: numbers that do not fit the channels are refused") {
  Tables tables = to_tensor_tables(3);
  const std::vector<double> one{0.5}, two{0.5, 0.5}, zero{0.0};
  CHECK_THROWS_WITH_AS(
      normalize_tables(tables, two, one),
      "Normalize has 2 numbers for an image of 3 channels; give one per channel, or one for all",
      Error);
  CHECK_THROWS_AS(normalize_tables(tables, one, zero), Error);
  CHECK_THROWS_AS(to_tensor_tables(4), Error);
  normalize_tables(tables, one, one);
  CHECK(tables.value[2][255] == 1.0f);
  float out = 0;
  CHECK_THROWS_AS(write_chw(Pixels(1, 1, 1, 0), tables, &out, 1, 1), Error);
}
