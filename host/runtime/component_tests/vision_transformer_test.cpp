// The trunk vision_transformer against VISSL's, restated in scripts/oracle/trunks_vit.py and
// compared with timm's there.
#include <doctest/doctest.h>
#include <vissl/trunk.h>

#include "host/runtime/component_tests/trunk_parity.hpp"

using namespace vissl::host;
using namespace vissl::host::test;

namespace {

constexpr const char* kTiny =
    "image_size = 32\npatch_size = 8\nnum_layers = 2\nnum_heads = 4\nhidden_dim = 32\nmlp_dim = "
    "64\n";

const nlohmann::json& vits() {
  return golden("vision_transformer.json");
}

// A pass with random parts, under at::manual_seed(7) on both sides.
void check_random(const std::string& name, const NamedTensors& extras = {}) {
  CAPTURE(name);
  const nlohmann::json expected = vits().at("random").at(name);
  ComponentHost host;
  for (const at::ScalarType dtype : {at::kDouble, at::kFloat}) {
    CAPTURE(std::string(c10::toString(dtype)));
    Built trunk(host, "trunk", "vision_transformer", toml_of(expected.at("options")));
    trunk.store().to(dtype, at::kCPU);
    fill(trunk.store());
    NamedTensors inputs{
        {"image", noise(expected.at("image").get<std::vector<std::int64_t>>(), 9, dtype)}};
    inputs.insert(inputs.end(), extras.begin(), extras.end());
    at::manual_seed(7);
    check_pass(trunk, inputs, expected.at("names").get<std::vector<std::string>>(),
               expected.at("training").get<bool>(),
               expected.at(dtype == at::kDouble ? "float64" : "float32"),
               dtype == at::kDouble ? 1e-10 : 1e-5);
  }
}

}  // namespace

TEST_CASE("vision_transformer: features and gradients of every name equal timm's and VISSL's") {
  check_case("vision_transformer", vits().at("cases").at("plain"));
}

TEST_CASE("vision_transformer: without a class token, features average the tokens") {
  check_case("vision_transformer", vits().at("cases").at("no_class_token"));
}

TEST_CASE("vision_transformer: images of other sizes take resized position embeddings") {
  check_case("vision_transformer", vits().at("cases").at("resized"));
}

TEST_CASE("vision_transformer: dropout and stochastic depth draw as torch's modules do") {
  check_random("dropout");
}

TEST_CASE("vision_transformer: ibot replaces masked patches, msn drops patches of large images") {
  const at::Tensor mask = at::arange(32, at::kLong).remainder(3).eq(0).reshape({2, 4, 4});
  check_random("ibot", {{"mask", mask}});
  check_random("msn");
  check_random("msn_small");
}

TEST_CASE("vision_transformer: evaluation draws nothing, training does") {
  ComponentHost host;
  Built trunk(host, "trunk", "vision_transformer",
              std::string(kTiny) + "dropout_rate = 0.3\ndrop_path_rate = 0.5", 3);
  const at::Tensor image = wave({4, 3, 32, 32}, 0.0);
  fill(trunk.store());
  const auto at_seed = [&](std::uint64_t seed, bool training) {
    at::manual_seed(seed);
    return trunk.trunk(image, {}, training)[0];
  };
  CHECK(distance(at_seed(1, false), at_seed(2, false)) == 0.0);
  CHECK(distance(at_seed(1, true), at_seed(1, true)) == 0.0);
  CHECK(distance(at_seed(1, true), at_seed(2, true)) > 1e-3);
}

TEST_CASE("vision_transformer: features come in request order with their channels") {
  ComponentHost host;
  Built trunk(host, "trunk", "vision_transformer", kTiny, 3);
  const at::Tensor image = wave({2, 3, 32, 32}, 0.0);
  const std::vector<std::string> names = {"lastMAP", "blkCLS0", "concatBLK2", "lastCLS", "blkCLS0"};
  const auto features = trunk.trunk(image, names, false);
  CHECK(features[0].sizes() == at::IntArrayRef{2, 4, 4, 32});
  CHECK(features[2].sizes() == at::IntArrayRef{2, 17, 64});
  CHECK(distance(features[1], features[4]) == 0.0);
  CHECK(distance(trunk.trunk(image, {}, false)[0], features[3]) == 0.0);
  const auto& table = trunk.instance().table<vissl_trunk_class>(VISSL_TRUNK_ID);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const vissl_str name{names[i].data(), names[i].size()};
    CHECK(table.feature_channels(trunk.instance().handle(), name) == features[i].size(-1));
  }
  CHECK(error_text([&] { trunk.trunk(image, {"lastPOOL"}, false); }) ==
        "the trunk has no feature 'lastPOOL'; it has blkCLS0, blkCLS1, concatCLS1, concatCLS2, "
        "concatBLK1, concatBLK2, lastBLK, lastMAP, lastCLS");
}

TEST_CASE("vision_transformer: parameters are tagged for weights and for layer-wise decay") {
  ComponentHost host;
  Built trunk(host, "trunk", "vision_transformer", kTiny, 3);
  const Entry& position = *trunk.store().find("pos_embed");
  CHECK((position.tags & VISSL_TAG_POS_EMBED) != 0);
  CHECK(position.pos_prefix == 1);
  CHECK(position.pos_grid_h == 4);
  CHECK(position.pos_grid_w == 4);
  CHECK((trunk.store().find("patch_embed.proj.weight")->tags & VISSL_TAG_FIRST_CONV) != 0);
  CHECK(trunk.store().find("cls_token")->depth == 0);
  CHECK(trunk.store().find("blocks.1.mlp.fc1.weight")->depth == 2);
  CHECK(trunk.store().find("norm.weight")->depth == 3);
}

TEST_CASE("vision_transformer: standard sizes have as many parameters as timm's") {
  for (const nlohmann::json& known : vits().at("counts")) {
    CAPTURE(known.dump());
    CHECK(count_parameters("vision_transformer", toml_of(known.at("options"))) ==
          known.at("parameters").get<std::int64_t>());
  }
}

TEST_CASE("vision_transformer: configs and masks that cannot work are refused") {
  ComponentHost host;
  const auto error_of = [&](const std::string& toml) {
    return error_text([&] { host.create("trunk", "vision_transformer", toml); });
  };
  CHECK(error_of("num_heads = 7") == "'hidden_dim' 768 does not divide into 7 heads ('num_heads')");
  CHECK(error_of("image_size = 8") == "'patch_size' 16 exceeds 'image_size' 8");
  Built ibot(host, "trunk", "vision_transformer",
             std::string(kTiny) + "masked_image_modeling = \"ibot\"");
  const NamedTensors inputs{{"image", wave({2, 3, 32, 32}, 0.0)},
                            {"mask", at::zeros({2, 3, 3}, at::kBool)}};
  CHECK(error_text([&] { trunk_forward(ibot, inputs, {}, true); }) ==
        "the input 'mask' has 18 elements for 2 images of 16 patches");
  Built msn(host, "trunk", "vision_transformer",
            std::string(kTiny) +
                "masked_image_modeling = \"msn\"\ndrop_ratio = 0.5\nglobal_view_tokens = 4");
  CHECK(error_text([&] {
          msn.trunk(wave({2, 3, 32, 32}, 0.0), {"lastMAP"}, true);
        }) == "'lastMAP' needs all patches, and masked_image_modeling 'msn' dropped some");
}
