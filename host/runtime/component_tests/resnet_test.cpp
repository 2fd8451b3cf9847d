// The trunk resnet against torchvision's, rebuilt as VISSL rebuilds it, from the same seed
// (scripts/oracle/resnet.py): names and shapes, initial values bit for bit, features within 1e-5.
#include <doctest/doctest.h>
#include <vissl/trunk.h>

#include <algorithm>

#include "host/runtime/component_tests/trunk_parity.hpp"

using namespace vissl::host;
using namespace vissl::host::test;

namespace {

const std::vector<std::string> kFeatures = {"conv1", "res1", "res2",    "res3",
                                            "res4",  "res5", "res5avg", "flatten"};

void check_features(const nlohmann::json& expected, Built& trunk, bool training) {
  const at::Tensor image = wave({2, 3, 64, 64}, 0.0) / 2;
  const auto features = trunk.trunk(image, kFeatures, training);
  for (std::size_t i = 0; i < kFeatures.size(); ++i) {
    CAPTURE(kFeatures[i]);
    const nlohmann::json& wanted = expected.at(kFeatures[i]);
    const at::Tensor x = features[i].detach().to(at::kDouble);
    CHECK(x.sizes().vec() == wanted.at("shape").get<std::vector<std::int64_t>>());
    const at::Tensor flat = x.reshape({-1});
    const at::Tensor picks =
        at::linspace(0, static_cast<double>(flat.numel() - 1), 24, at::kFloat).to(at::kLong);
    const auto values = wanted.at("values").get<std::vector<double>>();
    const double scale = std::max(1.0, at::tensor(values).abs().max().item<double>());
    CHECK(distance(flat.index_select(0, picks), at::tensor(values, at::kDouble)) < 1e-5 * scale);
    CHECK(flat.mean().item<double>() ==
          doctest::Approx(wanted.at("mean").get<double>()).epsilon(1e-5));
    CHECK(flat.pow(2).mean().item<double>() ==
          doctest::Approx(wanted.at("square").get<double>()).epsilon(1e-5));
  }
}

void check_resnet(const std::string& name, const std::string& toml) {
  CAPTURE(name);
  ComponentHost host;
  Built trunk(host, "trunk", "resnet", toml, /*seed=*/3);
  const nlohmann::json expected = golden("resnet.json").at(name);
  check_initial(expected, trunk.store().state_dict());
  std::int64_t parameters = 0;
  for (const Entry* entry : trunk.store().parameters()) parameters += entry->tensor.numel();
  CHECK(parameters == expected.at("parameters").get<std::int64_t>());
  if (expected.contains("train")) check_features(expected.at("train"), trunk, true);
  const at::NoGradGuard no_grad;
  check_features(expected.at("eval"), trunk, false);
}

}  // namespace

TEST_CASE("resnet: depths 18 and 34 equal torchvision's from the same seed") {
  check_resnet("18", "depth = 18");
  check_resnet("34", "depth = 34");
}

TEST_CASE("resnet: depth 50 equals torchvision's from the same seed") {
  check_resnet("50", "");
}

TEST_CASE("resnet: depths 101 and 152 equal torchvision's from the same seed") {
  check_resnet("101", "depth = 101");
  check_resnet("152", "depth = 152");
}

TEST_CASE("resnet: widths, groups, strides and stems equal torchvision's blocks") {
  const std::string narrow = "width_multiplier = 0.25\n";
  check_resnet("narrow",
               narrow + "depth = 18\nstem_kernel = 3\nstem_stride = 1\nstem_pool = false");
  check_resnet("small_stem",
               narrow + "depth = 18\nstem_kernel = 3\nstem_stride = 2\nstem_pool = false");
  check_resnet("resnext", "groups = 8\nwidth_per_group = 8");
  check_resnet("dense_end", narrow + "layer4_stride = 1");
  check_resnet("wide", "depth = 18\nwidth_multiplier = 2.0");
}

TEST_CASE("resnet: group norm and layer norm take the place of batch norm") {
  check_resnet("group_norm",
               "depth = 18\nwidth_multiplier = 0.25\nnorm = \"GroupNorm\"\ngroupnorm_groups = 8");
  check_resnet("layer_norm", "depth = 18\nwidth_multiplier = 0.25\nnorm = \"LayerNorm\"");
}

TEST_CASE("resnet: features come in request order, and the last one alone by default") {
  ComponentHost host;
  Built trunk(host, "trunk", "resnet", "depth = 18\nwidth_multiplier = 0.25", 3);
  const at::Tensor image = wave({2, 3, 32, 32}, 0.0);
  const auto all = trunk.trunk(image, kFeatures, false);
  const auto some = trunk.trunk(image, {"flatten", "res3", "res3"}, false);
  CHECK(distance(some[0], all[7]) == 0.0);
  CHECK(distance(some[1], all[3]) == 0.0);
  CHECK(distance(some[2], all[3]) == 0.0);
  CHECK(distance(trunk.trunk(image, {}, false)[0], all[7]) == 0.0);
  CHECK(error_text([&] { trunk.trunk(image, {"layer4"}, false); }) ==
        "the trunk has no feature 'layer4'; it has conv1, res1, res2, res3, res4, res5, res5avg, "
        "flatten");
  const auto& table = trunk.instance().table<vissl_trunk_class>(VISSL_TRUNK_ID);
  for (std::size_t i = 0; i < kFeatures.size(); ++i) {
    const vissl_str name{kFeatures[i].data(), kFeatures[i].size()};
    CHECK(table.feature_channels(trunk.instance().handle(), name) == all[i].size(1));
  }
}

TEST_CASE("resnet: the gradient of a weight equals its differences in float64") {
  ComponentHost host;
  Built trunk(host, "trunk", "resnet",
              "depth = 18\nwidth_multiplier = 0.0625\nstem_kernel = 3\nstem_pool = false", 3);
  trunk.store().to(at::kDouble, at::kCPU);
  const at::Tensor image = wave({2, 3, 16, 16}, 0.0, at::kDouble);
  at::Tensor weight = trunk.store().find("_feature_blocks.layer2.0.downsample.0.weight")->tensor;
  const at::Tensor start = weight.detach().clone();
  const auto value = [&] { return trunk.trunk(image, {"res4"}, true)[0].pow(2).sum(); };
  value().backward();
  const at::Tensor gradient = weight.grad().clone();
  const at::Tensor numeric = numeric_gradient(
      [&](const at::Tensor& moved) {
        const at::NoGradGuard no_grad;
        weight.copy_(moved);
        return value();
      },
      start);
  CHECK(distance(numeric, gradient) < 1e-4 * std::max(1.0, gradient.abs().max().item<double>()));
}

TEST_CASE("resnet: zero_init_residual makes each block the identity at first") {
  ComponentHost host;
  Built trunk(host, "trunk", "resnet",
              "depth = 18\nwidth_multiplier = 0.25\nzero_init_residual = true", 3);
  CHECK(
      trunk.store().find("_feature_blocks.layer1.1.bn2.weight")->tensor.abs().max().item<float>() ==
      0.0F);
  CHECK(trunk.store().find("_feature_blocks.layer1.1.bn1.weight")->tensor.min().item<float>() ==
        1.0F);
}

TEST_CASE("resnet: configs that cannot work are refused") {
  ComponentHost host;
  CHECK(error_text([&] {
          host.create("trunk", "resnet", "depth = 19");
        }).find("'depth' must not be '19'") != std::string::npos);
  CHECK(error_text([&] {
          host.create("trunk", "resnet", "depth = 18\ngroups = 2");
        }).find("'depth' 18 and 34 of resnet have no groups; use 50 or more") != std::string::npos);
  CHECK(error_text([&] {
          host.create("trunk", "resnet", "width_multiplier = 0.01");
        }).find("'width_multiplier' leaves no channels") != std::string::npos);
}
