// Heads against VISSL's modules under the same seed (scripts/oracle/heads.py): names, initial
// values bit for bit, two training passes, running statistics, and an evaluation pass.
#include <doctest/doctest.h>
#include <vissl/head.h>

#include "host/runtime/component_tests/component_host.hpp"

using namespace vissl::host;
using namespace vissl::host::test;

namespace {

void check_head(const std::string& golden_name, const std::string& name, const std::string& toml,
                const std::string& plugin) {
  CAPTURE(golden_name);
  ComponentHost host;
  Built head(host, "head", name, toml, /*seed=*/7, plugin);
  const nlohmann::json expected = golden("heads.json").at(golden_name);

  std::vector<std::string> names, frozen;
  for (const auto& [key, tensor] : head.store().state_dict()) {
    names.push_back(key);
    CAPTURE(key);
    CHECK(distance(tensor, tensor_of(expected.at("initial").at(key))) == 0.0);
  }
  for (const auto& entry : head.store().entries()) {
    if (entry->parameter && !entry->trainable()) frozen.push_back(entry->name);
  }
  CHECK(names == expected.at("names").get<std::vector<std::string>>());
  CHECK(frozen == expected.at("frozen").get<std::vector<std::string>>());

  const auto shape = expected.at("shape").get<std::vector<std::int64_t>>();
  for (std::size_t pass = 0; pass < 3; ++pass) {
    CAPTURE(pass);
    const auto outputs = head.head(wave(shape, static_cast<double>(pass)), pass < 2);
    const nlohmann::json& wanted = expected.at("outputs").at(pass);
    REQUIRE(outputs.size() == wanted.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      CHECK(distance(outputs[i], tensor_of(wanted[i])) < 2e-6);
    }
  }
  for (const auto& [key, values] : expected.at("buffers").items()) {
    CAPTURE(key);
    CHECK(distance(head.store().find(key)->tensor, tensor_of(values)) < 1e-6);
  }
}

}  // namespace

TEST_CASE("heads: mlp equals VISSL's, plain, deep and with all its options") {
  check_head("mlp_linear", "mlp", "dims = [6, 3]", "");
  check_head("mlp_deep", "mlp",
             "dims = [6, 8, 5, 3]\nuse_bn = true\nuse_relu = true\nbatchnorm_eps = 1e-3\n"
             "batchnorm_momentum = 0.3\nparams_multiplier = 0.5",
             "");
  check_head("mlp_all", "mlp",
             "dims = [6, 8, 3]\nuse_bn = true\nuse_relu = true\nuse_bias = false\n"
             "skip_last_layer_relu_bn = false",
             "");
}

TEST_CASE("heads: eval_mlp equals VISSL's on vectors and on feature maps") {
  check_head("eval_mlp", "eval_mlp", "in_channels = 6\ndims = [6, 3]", "mlp");
  check_head("eval_mlp_map", "eval_mlp",
             "in_channels = 3\ndims = [12, 7, 2]\nuse_bn = true\nuse_relu = true", "mlp");
}

TEST_CASE("heads: swav_head equals VISSL's, with weight norm too") {
  check_head("swav", "swav_head", "dims = [6, 8, 4]\nuse_bn = true\nnum_clusters = [5, 3]", "");
  check_head("swav_plain", "swav_head",
             "dims = [6, 8, 4]\nuse_bn = false\nnum_clusters = [5]\nreturn_embeddings = false\n"
             "activation_name = \"GELU\"",
             "");
  check_head("swav_weight_norm", "swav_head",
             "dims = [6, 4]\nuse_bn = false\nnum_clusters = [5]\n"
             "use_weight_norm_prototypes = true\nnormalize_last_layer = true",
             "");
}

TEST_CASE("heads: dropout acts in training alone") {
  ComponentHost host;
  Built head(host, "head", "mlp",
             "dims = [6, 64, 64]\nuse_dropout = true\nskip_last_layer_relu_bn = false");
  const at::Tensor x = wave({4, 6}, 0.0);
  const at::Tensor trained = head.head(x, true)[0];
  const double zeros = (trained == 0).to(at::kDouble).mean().item<double>();
  CHECK(zeros > 0.35);
  CHECK(zeros < 0.65);
  CHECK((head.head(x, false)[0] == 0).sum().item<std::int64_t>() == 0);
}

TEST_CASE("heads: they say what width they expect") {
  ComponentHost host;
  const auto width = [&](const Built& head) {
    return head.instance()
        .table<vissl_head_class>(VISSL_HEAD_ID)
        .in_channels(head.instance().handle());
  };
  CHECK(width(Built(host, "head", "mlp", "dims = [6, 3]")) == 6);
  CHECK(width(Built(host, "head", "eval_mlp", "in_channels = 4\ndims = [16, 3]", 0, "mlp")) == 4);
  CHECK(width(Built(host, "head", "swav_head",
                    "dims = [9, 3]\nuse_bn = false\nnum_clusters = [2]")) == 9);
}

TEST_CASE("heads: configs that cannot work are refused with the remedy") {
  ComponentHost host;
  CHECK(
      error_text([&] { host.create("head", "mlp", "dims = [6]"); })
          .find(
              "'dims' needs at least two widths, the input's and the output's, e.g. dims = [2048, "
              "128]") != std::string::npos);
  CHECK(error_text([&] {
          host.create("head", "swav_head",
                      "dims = [6, 3]\nuse_bn = true\nnum_clusters = [4]\n"
                      "normalize_last_layer = true");
        }).find("set use_weight_norm_prototypes = true") != std::string::npos);
  CHECK(error_text([&] {
          host.create("head", "swav_head",
                      "dims = [6, 3]\nuse_bn = true\nnum_clusters = []\n"
                      "return_embeddings = false");
        }).find("has no output") != std::string::npos);
}
