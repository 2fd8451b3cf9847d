#include "host/data/show_batch.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

#include "host/data/fake_run.hpp"
#include "host/data/memory.hpp"
#include "host/data/pixel/decode.hpp"

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

TEST_CASE("show batch: the engine makes a sheet that is large enough to see small pictures") {
  Run run({.workers = "2", .transforms = R"({ name = "copy" })"});
  PhaseSpec spec;
  spec.split = "train";
  const std::unique_ptr<Phase> phase = run.engine->open(spec, plain_memory());
  const std::shared_ptr<Batch> batch = phase->next();
  CHECK(field_table(*batch).find("data        uint8    (8, 3, 4, 3)  0") != std::string::npos);
  const std::string bytes = run.engine->sheet_png("train", *batch);
  const pixel::Decoded png =
      pixel::decode({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  REQUIRE(png.ok());
  const int width = 2 * 4 + 3 * 4, height = 4 * 3 + 5 * 4;  // two views of four samples
  CHECK(png.pixels.width() == 480 / width * width);
  CHECK(png.pixels.height() == 480 / width * height);
  CHECK(png.pixels.row(480 / width * (4 + 7))[480 / width * 4 * 3] == 1);  // sample 1
}
