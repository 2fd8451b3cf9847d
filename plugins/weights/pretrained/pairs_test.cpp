// Names that are matched by their endings or by their positions, and rows of a classifier that are
// chosen.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "pretrained_test.hpp"

namespace {

using Json = nlohmann::ordered_json;

Lines beginning(const Lines& lines, const std::string& begin) {
  Lines out;
  for (const std::string& line : lines)
    if (line.rfind(begin, 0) == 0) out.push_back(line);
  std::sort(out.begin(), out.end());
  return out;
}

Shapes shapes_of(const Json& sizes) {
  Shapes list;
  for (const auto& [name, size] : sizes.items()) list.push_back({name, {size.get<std::int64_t>()}});
  return list;
}

const std::string kHeuristics = "profile = \"detectron2\"\npath = \"a.pkl\"\n";

}  // namespace

TEST_CASE("detectron2: names matched by their endings are those that Detectron2 matches") {
  const Json cases = Json::parse(
      std::ifstream(VISSL_SOURCE_DIR "/tests/golden/components/weights_heuristics.json"));
  REQUIRE(cases.size() == 100);
  for (const Json& c : cases) {
    INFO(c.dump());
    const Shapes model = shapes_of(c.at("model")), file = shapes_of(c.at("file"));
    const std::string toml = kHeuristics + "matching_heuristics = true";
    if (c.at("pairs").is_null()) {
      CHECK(error(toml, file, model)
                .find("Cannot match one checkpoint key to multiple keys in the model") !=
            std::string::npos);
      continue;
    }
    Lines expected;
    for (const auto& [target, source] : c.at("pairs").items())
      expected.push_back("load " + source.get<std::string>() + " -> " + target);
    std::sort(expected.begin(), expected.end());
    CHECK(beginning(plan(toml, file, model), "load ") == expected);
  }
}

TEST_CASE("detectron2: endings are matched in the names of the system that fits most, if asked") {
  const Shapes model = {{"trunk._feature_blocks.conv1.weight", {4, 3, 7, 7}},
                        {"trunk._feature_blocks.layer1.0.bn1.weight", {4}}};
  const Shapes file = {{"model.stem.conv1.weight", {4, 3, 7, 7}},
                       {"model.res2.0.conv1.norm.weight", {4}}};
  const auto locator = [&](const std::string& text) {
    vissl::test::Host host;
    host.load(VISSL_PLUGIN_DIR "/pretrained.so");
    const vissl::test::Instance profile =
        host.component("weights", "pretrained")
            .create("profile = \"detectron2\"\nweights = \"" + text + "\"");
    std::string place;
    const vissl_out out = {sizeof(vissl_out), &place,
                           [](void* self, const void* data, std::uint64_t bytes) {
                             static_cast<std::string*>(self)->append(
                                 static_cast<const char*>(data), static_cast<std::size_t>(bytes));
                             return bytes;
                           }};
    vissl::call(profile.table<vissl_weights_profile_class>(VISSL_WEIGHTS_PROFILE_ID).locator,
                profile.handle(), &out);
    const Lines lines = vissl::test::plan_weights(profile, file, model);
    const bool matched =
        has(lines, "say 1: weights: matched by their endings (Detectron2's names): 2 tensors");
    CHECK(beginning(lines, "load ").size() == 2);
    return place + (matched ? " by endings" : "");
  };
  CHECK(locator("a.pkl?matching_heuristics=True") == "a.pkl by endings");
  CHECK(locator("a.pkl?matching_heuristics=False") == "a.pkl");
  CHECK(locator("https://x.org/a.pkl?b=1&matching_heuristics=True&c=2#sha256=00") ==
        "https://x.org/a.pkl?b=1&c=2#sha256=00 by endings");
  CHECK(locator("https://x.org/a.pkl?matching_heuristics=True#sha256=00") ==
        "https://x.org/a.pkl#sha256=00 by endings");
  CHECK(locator("matching_heuristics=True") == "matching_heuristics=True");
  CHECK(error("profile = \"detectron2\"\nweights = \"a?matching_heuristics=yes\"", file, model) ==
        "matching_heuristics of 'a?matching_heuristics=yes' is True or False, not 'yes'");
  CHECK(error("path = \"a\"\nmatching_heuristics = true", file, model) ==
        "matching_heuristics of [model.weights_init] is not read by profile = \"vissl\", only by "
        "essmc2, timm, timm-classic, mmcv, vis4d and detectron2; it needs a profile that opens a "
        "state dict by itself");
  CHECK(error("path = \"a?matching_heuristics=True\"", file, model) ==
        "matching_heuristics needs a profile that opens a state dict by itself, e.g. "
        "\"detectron2\" or \"timm\"");
}

TEST_CASE("timm: remap pairs tensors by position and reshapes them, and refuses other sizes") {
  const Shapes model = {{"trunk.conv1.weight", {4, 3, 2, 2}},
                        {"trunk.norm.weight", {4}},
                        {"heads.0.clf.0.weight", {5, 4}}};
  const std::string toml = "profile = \"timm\"\npath = \"a.pth\"\nremap = true\nstrict = false";
  const Lines lines = plan(
      toml, {{"stem.kernel", {4, 12}}, {"stem.scale", {4}}, {"out", {5, 4}}, {"more", {1}}}, model);
  CHECK(has(lines, "adapt stem.kernel -> trunk.conv1.weight (reshaped)"));
  CHECK(has(lines, "load stem.scale -> trunk.norm.weight"));
  CHECK(has(lines, "load out -> heads.0.clf.0.weight"));
  CHECK(error(toml, {{"stem.kernel", {4, 12}}, {"stem.scale", {5}}}, model) ==
        "Tensor size mismatch trunk.norm.weight: torch.Size([4]) vs stem.scale: torch.Size([5]). "
        "Remap failed.");
}

TEST_CASE("timm: label_rows and its file choose rows of the classifier") {
  const Shapes model = {{"trunk.norm.weight", {4}}, {"heads.0.clf.0.weight", {3, 4}}};
  const Shapes file = {{"norm.weight", {4}}, {"head.weight", {9, 4}}};
  const std::string toml = "profile = \"timm\"\npath = \"a.pth\"\nstrict = false\n";
  const std::string line =
      "adapt head.weight -> heads.0.clf.0.weight (3 rows of 9 as label_rows lists them)";
  CHECK(has(plan(toml + "label_rows = [8, 0, 4]", file, model), line));
  const std::string rows = "pairs_test_rows.txt";
  std::ofstream(rows) << "# of 9 classes\n8\n0\n\n4  # the last\n";
  CHECK(has(plan(toml + "label_rows_file = \"" + rows + "\"", file, model), line));
  std::ofstream(rows) << "8\nseven\n";
  CHECK(error(toml + "label_rows_file = \"" + rows + "\"", file, model)
            .find("pairs_test_rows.txt:2: 'seven' is no number of a row; there is one per line, "
                  "from 0") != std::string::npos);
  std::ofstream(rows) << "# none\n";
  CHECK(error(toml + "label_rows_file = \"" + rows + "\"", file, model)
            .find("pairs_test_rows.txt: lists no rows; there is one per line, from 0") !=
        std::string::npos);
  std::remove(rows.c_str());
  CHECK(
      error(toml + "label_rows_file = \"" + rows + "\"", file, model)
          .find("pairs_test_rows.txt: cannot be read; label_rows_file names it, check its path") !=
      std::string::npos);
  CHECK(error(toml + "label_rows = [9, 0, 4]", file, model) ==
        "label_rows lists 3 rows, the largest is 9; they do not make torch.Size([3, 4]) of "
        "torch.Size([9, 4]) ('head.weight')");
  CHECK(error(toml + "label_rows = [1]\nlabel_offset = 1", file, model) ==
        "label_rows, label_rows_file and label_offset all choose rows of the classifier; keep one");
  CHECK(error(toml + "filters = [\"tensorflow\"]", file, model) ==
        "no filter is called 'tensorflow'; there are jax, clip, qkv, layer_scale, mask_token, "
        "weight_norm");
}

TEST_CASE("timm: a linear patch embedding becomes a convolution") {
  const Shapes model = {{"trunk.cls_token", {1, 1, 8}},
                        {"trunk.patch_embed.proj.weight", {8, 3, 4, 4}}};
  CHECK(
      has(plan("profile = \"timm\"\npath = \"a.pth\"",
               {{"cls_token", {1, 1, 8}}, {"patch_embed.proj.weight", {8, 48}}}, model),
          "adapt patch_embed.proj.weight -> trunk.patch_embed.proj.weight (linear patch embedding "
          "as a convolution)"));
}

TEST_CASE("auto: filters pass over tensors that only have the names of what they look for") {
  const Shapes model = {{"trunk.norm.weight", {4}}};
  const Lines lines = plan("profile = \"auto\"\npath = \"a.pth\"",
                           {{"norm.weight", {4}},
                            {"a.query.weight", {}},
                            {"a.key.weight", {}},
                            {"a.value.weight", {}},
                            {"b.class_embedding", {4}},
                            {"b.positional_embedding", {}},
                            {"b.conv1.weight", {}},
                            {"c.ls1.gamma", {}},
                            {"c.attn.proj.weight", {}},
                            {"c.ls2.gamma", {4}},
                            {"c.mlp.fc2.weight", {}},
                            {"d.weight_g", {2, 2}},
                            {"d.weight_v", {2}},
                            {"embedding/kernel", {0, 0, 0, 0}},
                            {"Transformer/encoder_norm/scale", {}},
                            {"Transformer/encoderblock/LayerNorm_0/scale", {4000000000, 0}},
                            {"Transformer/encoderblock_0/A/query/kernel", {}},
                            {"Transformer/encoderblock_0/A/key/kernel", {}},
                            {"Transformer/encoderblock_0/A/value/kernel", {}}},
                           model);
  CHECK(beginning(lines, "load ") == Lines{"load norm.weight -> trunk.norm.weight"});
  CHECK(beginning(lines, "adapt ").empty());
}

TEST_CASE("timm: register tokens that the trunk has no place for are told") {
  const Shapes model = {{"trunk.cls_token", {1, 1, 4}}, {"trunk.norm.weight", {4}}};
  const Lines lines =
      plan("profile = \"auto\"\npath = \"a.pth\"",
           {{"cls_token", {1, 1, 4}}, {"register_tokens", {1, 4, 4}}, {"norm.weight", {4}}}, model);
  CHECK(has(lines,
            "say 2: weights: the trunk has no place for 'register_tokens': its features will not "
            "be those of the network that was saved"));
}
