// Whole models of shipped trunks and heads: EssentialMC2's classifier (backbone, neck, head), whose
// neck is the trunk's pooled feature here, and crops of two sizes through a vision transformer.
#include <doctest/doctest.h>
#include <vissl/head.h>
#include <vissl/trunk.h>

#include <memory>
#include <utility>

#include "host/runtime/component_tests/trunk_parity.hpp"
#include "host/runtime/model/model.hpp"
#include "host/runtime/test_config.hpp"

using namespace vissl::host;
using namespace vissl::host::test;

namespace {

// A component of a plugin file as the model holds it.
class Shipped : public vissl::host::Instance {
 public:
  Shipped(std::string kind, std::string name, vissl::test::Instance inner)
      : kind_(std::move(kind)), name_(std::move(name)), inner_(std::move(inner)) {}
  const void* table() const override {
    if (kind_ == "trunk") return &inner_.table<vissl_trunk_class>(VISSL_TRUNK_ID);
    return &inner_.table<vissl_head_class>(VISSL_HEAD_ID);
  }
  void* self() const override { return inner_.handle(); }
  const void* extension(std::string_view) const override { return nullptr; }
  const std::string& kind() const override { return kind_; }
  const std::string& name() const override { return name_; }
  const std::string& plugin_id() const override { return name_; }
  const std::string& plugin_version() const override { return name_; }

 private:
  std::string kind_, name_;
  vissl::test::Instance inner_;
};

class ShippedCatalogue : public Catalogue {
 public:
  std::unique_ptr<vissl::host::Instance> create(std::string_view kind,
                                                const vissl_value* config) override {
    nlohmann::json parameters = nlohmann::json::parse(json_of(config).dump());
    const std::string name = parameters.at("name").get<std::string>();
    parameters.erase("name");
    return std::make_unique<Shipped>(std::string(kind), name,
                                     host_.create(std::string(kind), name, toml_of(parameters)));
  }

 private:
  ComponentHost host_;
};

// A model of one [model] table.
struct Whole {
  Whole(ShippedCatalogue& catalogue, const std::string& table)
      : json(Json::parse(table)), model(ModelConfig({setting(json)}), catalogue, plain_facts()) {}
  std::vector<at::Tensor> operator()(const std::vector<at::Tensor>& images) {
    ModelInput input;
    input.tensors = images;
    input.list = images.size() > 1;
    return model.forward(input);
  }
  std::vector<std::int64_t> shape(const std::string& name) {
    return model.store().find(name)->tensor.sizes().vec();
  }
  Json json;
  Model model;
};

}  // namespace

TEST_CASE("classifier: a ResNet, its pooled feature and a linear head from one table") {
  const at::NoGradGuard no_grad;
  ShippedCatalogue catalogue;
  for (const std::int64_t classes : {100, 200}) {
    CAPTURE(classes);
    Whole classifier(catalogue, R"({"trunk": {"name": "resnet"}, "input_type": "rgb",
                         "heads": [{"name": "mlp", "dims": [2048, )" +
                                    std::to_string(classes) + "]}]}");
    using Shape = std::vector<std::int64_t>;
    CHECK(classifier.shape("trunk._feature_blocks.conv1.weight") == Shape{64, 3, 7, 7});
    CHECK(classifier.shape("heads.0.clf.0.weight") == Shape{classes, 2048});
    CHECK(classifier.shape("heads.0.clf.0.bias") == Shape{classes});
    const auto outputs = classifier({noise({2, 3, 32, 32}, 1, at::kFloat)});
    REQUIRE(outputs.size() == 1);
    CHECK(outputs[0].sizes() == at::IntArrayRef{2, classes});
  }
}

TEST_CASE("classifier: a vision transformer and a RegNet take a head that fits their feature") {
  const at::NoGradGuard no_grad;
  ShippedCatalogue catalogue;
  Whole vit(catalogue,
            R"({"trunk": {"name": "vision_transformer", "image_size": 32, "patch_size": 8,
                          "num_layers": 2, "num_heads": 4, "hidden_dim": 32, "mlp_dim": 64},
                "heads": [{"name": "mlp", "dims": [32, 10]}], "input_type": "rgb"})");
  // Two crops of 32 pixels and one of 16, two images of each: rows crop by crop.
  const at::Tensor large = noise({2, 3, 32, 32}, 1, at::kFloat);
  const at::Tensor small = noise({2, 3, 16, 16}, 2, at::kFloat);
  const auto joined = vit({large, large, small});
  REQUIRE(joined.size() == 1);
  CHECK(joined[0].sizes() == at::IntArrayRef{6, 10});
  CHECK(distance(joined[0].narrow(0, 4, 2), vit({small})[0]) < 1e-6);
  CHECK(distance(joined[0].narrow(0, 0, 2), joined[0].narrow(0, 2, 2)) < 1e-6);
  const std::string regnet =
      R"({"trunk": {"name": "regnet", "depth": 3, "w_0": 8, "w_a": 8.0, "w_m": 2.0,
                    "group_width": 8}, "input_type": "rgb", "heads": [{"name": "mlp", "dims": )";
  Whole fits(catalogue, regnet + "[32, 10]}]}");
  CHECK(fits({large})[0].sizes() == at::IntArrayRef{2, 10});
  CHECK_THROWS_WITH_AS(Whole(catalogue, regnet + "[16, 10]}]}"),
                       doctest::Contains("takes 16 channels"), vissl::host::Error);
}
