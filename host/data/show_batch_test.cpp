#include "host/data/show_batch.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>

#include "host/data/fake_run.hpp"
#include "host/data/pixel/decode.hpp"
#include "temp_folder.hpp"

using namespace vissl::host;
using namespace vissl::host::fake;

namespace {

// 2 samples with 2 views (position-major rows) of 1 x 1 pixels, normalised by mean 0.5, 0.25, 0 and
// std 2, 0.5, 1.
struct Normalised {
  float values[4][3];
  std::int64_t labels[4] = {3, 4, 3, 4};
  Batch batch;
  Value config;
  SplitSettings split;

  Normalised()
      : config(
            parse_toml("t = { name = \"x\", mean = [0.5, 0.25, 0.0], std = [2, 0.5, 1.0] }", "c")) {
    for (int row = 0; row < 4; ++row) {
      const float red = static_cast<float>(row) / 255;
      values[row][0] = (red - 0.5f) / 2;
      values[row][1] = (0.2f - 0.25f) / 0.5f;
      values[row][2] = 7;  // clipped
    }
    batch.samples = 2;
    batch.fields = {{"data", false, {{VISSL_F32, {4, 3, 1, 1}, values}}},
                    {"label", false, {{VISSL_I64, {4}, labels}}}};
    split.transforms = {config.find("t")};
  }
};

}  // namespace

TEST_CASE("show batch: one row per sample, one column per view, with Normalize undone") {
  Normalised n;
  const pixel::Pixels sheet = contact_sheet(n.batch, n.split, 8);
  CHECK(sheet.width() == 2 * 1 + 3 * 4);
  CHECK(sheet.height() == 2 * 1 + 3 * 4);
  const auto at = [&](int row, int column) {
    const std::uint8_t* pixel = sheet.row(4 + row * 5) + (4 + column * 5) * 3;
    return std::vector<int>{pixel[0], pixel[1], pixel[2]};
  };
  CHECK(at(0, 0) == std::vector<int>{0, 51, 255});
  CHECK(at(1, 0) == std::vector<int>{1, 51, 255});
  CHECK(at(0, 1) == std::vector<int>{2, 51, 255});
  CHECK(at(1, 1) == std::vector<int>{3, 51, 255});
  CHECK(contact_sheet(n.batch, n.split, 1).height() == 1 + 2 * 4);
}

TEST_CASE("show batch: the table names every element with its shape and range") {
  Normalised n;
  n.batch.fields[1].elements.push_back({VISSL_I64, {4}, n.labels});
  CHECK(field_table(n.batch) ==
        "field     dtype    shape         min    max\n"
        "data      float32  (4, 3, 1, 1)  -0.25  7\n"
        "label[0]  int64    (4,)          3      4\n"
        "label[1]  int64    (4,)          3      4\n");
}

TEST_CASE("show batch: a batch without images is refused") {
  Normalised n;
  n.split.name = "train";
  n.batch.fields.erase(n.batch.fields.begin());
  CHECK(error_of([&] { contact_sheet(n.batch, n.split, 8); }, Exit::run_failed) ==
        "data.train: a batch has no images of 1 or 3 channels to show");
}

TEST_CASE("show batch: the engine writes the sheet of a split's first batch as a PNG file") {
  vissl::test::TempFolder folder;
  Run run({.workers = "2", .transforms = R"({ name = "copy" })"});
  PhaseSpec spec;
  spec.split = "train";
  const std::string path = (folder / "views.png").string();
  const std::string table = run.engine->show(spec, 3, path);
  CHECK(table.find("data        uint8    (8, 3, 4, 3)  0") != std::string::npos);
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  const pixel::Decoded png =
      pixel::decode({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  REQUIRE(png.ok());
  CHECK(png.pixels.width() == 2 * 4 + 3 * 4);   // two views
  CHECK(png.pixels.height() == 3 * 3 + 4 * 4);  // three samples
  CHECK(png.pixels.row(4 + 7)[4 * 3] == 1);     // sample 1
}
