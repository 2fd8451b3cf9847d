// Biases of relative positions: which windows are resized, which are refused, and what a model
// computes from its window.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "pretrained_test.hpp"

namespace {

const std::string kTable = "blocks.0.attn.relative_position_bias_table";
const std::string kTimm = "profile = \"timm\"\npath = \"a.pth\"\n";

using Shape = std::vector<std::int64_t>;

Shapes with_table(const std::string& at, const Shape& table) {
  return {{at + "norm.weight", {4}}, {at + kTable, table}};
}

Lines resize(const Shape& from, const Shape& to, const std::string& toml = kTimm) {
  return plan(toml, with_table("", from), with_table("trunk.", to));
}

std::string refusal(const Shape& from, const Shape& to) {
  return error(kTimm, with_table("", from), with_table("trunk.", to));
}

std::string why(const std::string& from, const std::string& to, const std::string& reason) {
  return "Unable to resize relative positions: '" + kTable + "' torch.Size([" + from +
         "]) to 'trunk." + kTable + "' torch.Size([" + to + "]): " + reason +
         "; change the model, list the layer in skip_layers, or set shape_mismatch = \"drop\"";
}

}  // namespace

TEST_CASE("timm, auto: tables of relative positions are resized to the model's window") {
  const std::string line =
      "adapt " + kTable + " -> trunk." + kTable + " (relative positions of windows of ";
  for (const char* profile : {"timm", "timm-classic", "auto"}) {
    const std::string toml = "profile = \"" + std::string(profile) + "\"\npath = \"a.pth\"\n";
    CHECK(has(resize({169, 4}, {529, 4}, toml), line + "7x7 resized to 12x12)"));
  }
  // With a class token, and as a grid.
  CHECK(has(resize({732, 12}, {2212, 12}), line + "14x14 resized to 24x24)"));
  CHECK(has(resize({4, 13, 13}, {4, 15, 9}), line + "7x7 resized to 8x5)"));
  CHECK(has(resize({169, 4}, {169, 4}), "load " + kTable + " -> trunk." + kTable));
  // A window that is not square, when nothing is to be done.
  CHECK(has(resize({65, 4}, {65, 4}), "load " + kTable + " -> trunk." + kTable));
}

TEST_CASE("timm: relative positions of no window, or of other heads, are refused with the reason") {
  CHECK(refusal({169, 3}, {529, 4}) ==
        why("169, 3", "529, 4", "the file's table has 3 heads, the model's 4"));
  CHECK(refusal({4, 13, 13}, {2, 15, 15}) ==
        why("4, 13, 13", "2, 15, 15", "the file's table has 4 heads, the model's 2"));
  CHECK(refusal({65, 4}, {169, 4}) ==
        why("65, 4", "169, 4",
            "no square window (up to 2048) has 65 relative positions, as the file's has"));
  CHECK(refusal({169, 4}, {65, 4}) ==
        why("169, 4", "65, 4",
            "no square window (up to 2048) has 65 relative positions, as the model's has"));
  // BEiT's three rows for the class token are in the model's alone.
  CHECK(refusal({169, 4}, {532, 4}) == why("169, 4", "532, 4",
                                           "no square window (up to 2048) has 166 relative "
                                           "positions besides the class token's 3, as the "
                                           "file's has"));
  CHECK(refusal({4, 12, 13}, {4, 15, 15}) ==
        why("4, 12, 13", "4, 15, 15", "the file's height or width is even or above 4095"));
  CHECK(refusal({1, 1, 100000001}, {1, 15, 15}) ==
        why("1, 1, 100000001", "1, 15, 15", "the file's height or width is even or above 4095"));
  CHECK(refusal({4, 13, 13}, {225, 4}) ==
        why("4, 13, 13", "225, 4",
            "both must be (positions, heads), or both (heads, height, width)"));
  CHECK(refusal({0, 4}, {225, 4}) ==
        why("0, 4", "225, 4", "both must be (positions, heads), or both (heads, height, width)"));
  CHECK(has(resize({65, 4}, {169, 4}, kTimm + "strict = false\nshape_mismatch = \"drop\""),
            "ignore " + kTable + " (it is torch.Size([65, 4]), 'trunk." + kTable +
                "' of the model is torch.Size([169, 4]))"));
}

TEST_CASE("timm: indexes and masks of windows are neither loaded nor missed") {
  const Shapes buffers = {{"blocks.0.attn.relative_position_index", {49, 49}},
                          {"blocks.0.attn_mask", {64, 49, 49}},
                          {"blocks.0.attn.relative_coords_table", {1, 13, 13, 2}}};
  Shapes file = with_table("", {169, 4}), model = with_table("trunk.", {529, 4});
  for (const auto& item : buffers) file.push_back(item);
  const auto loads = [](const Lines& lines) {
    return std::count_if(lines.begin(), lines.end(),
                         [](const std::string& line) { return line.rfind("load ", 0) == 0; });
  };
  const std::string reason = " (the model computes it from its window)";
  const Lines without = plan(kTimm, file, model);  // strict: nothing is unexpected
  CHECK(loads(without) == 1);
  for (const auto& item : buffers) CHECK(has(without, "ignore " + item.name + reason));
  // Of a model that keeps them, also where the shape is the same.
  for (const auto& item : buffers) model.push_back({"trunk." + item.name, item.shape});
  const Lines with = plan(kTimm, file, model);
  CHECK(loads(with) == 1);
  for (const auto& item : buffers) CHECK(has(with, "skip trunk." + item.name + reason));
  // A file of timm's own has none.
  CHECK(
      has(plan(kTimm, with_table("", {169, 4}), model), "skip trunk." + buffers[0].name + reason));
}
