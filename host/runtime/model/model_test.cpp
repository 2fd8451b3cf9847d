#include "host/runtime/model/model.hpp"

#include <doctest/doctest.h>

#include "host/runtime/abi/context.hpp"
#include "host/runtime/model/show.hpp"
#include "host/runtime/model/test_components.hpp"

using namespace vissl::host;
using namespace vissl::host::test;

namespace {

Json config(const std::string& more = "{}") {
  Json json = Json::parse(R"({"trunk": {"name": "convolution", "channels": 4},
                              "heads": [{"name": "linear", "in_channels": 4, "width": 2}],
                              "input_type": "rgb"})");
  json.update(Json::parse(more));
  return json;
}

// A model and the config it reads.
struct Built {
  explicit Built(const std::string& more = "{}", uint64_t seed = 0)
      : json(config(more)), model(ModelConfig({setting(json)}), catalogue, test_facts(seed)) {
    trunk_calls().clear();
  }
  at::Tensor value(const std::string& name) { return model.store().find(name)->tensor.detach(); }
  std::vector<at::Tensor> operator()(const at::Tensor& x, bool training = false) {
    ModelInput input;
    input.tensors = {x};
    input.training = training;
    return model.forward(input);
  }

  Json json;
  TestCatalogue catalogue;
  Model model;
};

std::string build_error(const std::string& more) {
  return error_of([&] { Built built(more); });
}

at::Tensor images(int64_t n, int64_t size) {
  return at::arange(n * 3 * size * size, at::kFloat).reshape({n, 3, size, size}).sin();
}

std::vector<std::string> names(const Model& model) {
  std::vector<std::string> names;
  for (const auto& entry : model.store().entries()) names.push_back(entry->name);
  return names;
}

// Feature-extractor mode with the given pools.
std::string extractor(const std::string& features, const std::string& heads) {
  return R"({"feature_eval": {"eval_mode_on": true, "freeze_trunk_only": true, "should_flatten_feats": true,
             "features": )" +
         features + R"(}, "heads": )" + heads + "}";
}

}  // namespace

TEST_CASE("model: names are VISSL's, single heads and chained ones") {
  Built built(R"({"heads": [{"name": "linear", "in_channels": 4, "width": 2},
                            [{"name": "linear", "in_channels": 2, "width": 3}, {"name": "linear", "in_channels": 3, "width": 5}]]})");
  CHECK(names(built.model) ==
        std::vector<std::string>{"trunk.weight", "trunk.mean", "heads.0.clf.0.weight",
                                 "heads.0.clf.0.bias", "heads.1.0.clf.0.weight",
                                 "heads.1.0.clf.0.bias", "heads.1.1.clf.0.weight",
                                 "heads.1.1.clf.0.bias"});
  CHECK(built.model.output_names() == std::vector<std::string>{"heads"});
}

TEST_CASE("model: modules of a chain, and heads in a row, must fit one another") {
  CHECK(build_error(R"({"heads": [[{"name": "linear", "in_channels": 4, "width": 3},
                                   {"name": "linear", "in_channels": 5, "width": 2}]]})") ==
        "exp.toml:1:1: model.heads[0][1] (linear) takes 5 channels, but what comes before it gives "
        "3; set its input width to 3");
  CHECK(build_error(R"({"heads": [{"name": "linear", "in_channels": 4, "width": 2},
                                  {"name": "linear", "in_channels": 4, "width": 2}]})") ==
        "exp.toml:1:1: model.heads[1] (linear) takes 4 channels, but what comes before it gives 2; "
        "set its input width to 2");
}

TEST_CASE("model: images that are no floats are refused with the transform that is missing") {
  Built built;
  CHECK(
      error_of([&] {
        built(at::zeros({2, 8, 8, 3}, at::kByte));
      }) ==
      "the batch gives the model Byte values of shape [2, 8, 8, 3]; trunks take floats, (N, C, H, "
      "W) for images: add ToTensor (or ImgToTensor) to the split's transforms");
}

TEST_CASE("model: heads that give nothing or leave grad mode changed are named") {
  Built silent(R"({"heads": [{"name": "silent"}]})"), mode(R"({"heads": [{"name": "mode"}]})");
  CHECK(error_of([&] { silent(images(2, 4)); }) ==
        "exp.toml:1:1: model.heads[0] (silent) gave no output");
  const bool grad = at::GradMode::is_enabled();
  CHECK(error_of([&] { mode(images(2, 4)); }) ==
        "head 'mode' changed the grad mode and did not put it back");
  CHECK(at::GradMode::is_enabled() == grad);
}

TEST_CASE("model: no input, and several tensors that are no list, are refused") {
  Built built;
  ModelInput input;
  CHECK(error_of([&] { built.model.forward(input); }) == "the model was given no input");
  input.tensors = {images(2, 4), images(2, 4)};
  CHECK(error_of([&] { built.model.forward(input); }) ==
        "several tensors were given to the model, but not as a list");
}

TEST_CASE("model: every head module starts from the model's seed plus its place in the chain") {
  auto drawn = [](uint64_t seed, std::vector<int64_t> shape) {
    auto generator = default_generator();
    generator.set_current_seed(seed);
    return at::empty(shape).uniform_(-0.5, 0.5);
  };
  auto generator = default_generator();
  generator.set_current_seed(99);
  Built built(R"({"heads": [{"name": "linear", "in_channels": 4, "width": 2},
                            [{"name": "linear", "in_channels": 2, "width": 3}, {"name": "linear", "in_channels": 3, "width": 5}]]})",
              7);
  const at::Tensor next = at::rand({2});
  CHECK(same(built.value("heads.0.clf.0.weight"), drawn(7, {2, 4})));
  CHECK(same(built.value("heads.1.0.clf.0.weight"), drawn(7, {3, 2})));
  CHECK(same(built.value("heads.1.1.clf.0.weight"), drawn(8, {5, 3})));
  // The trunk draws from the process' generator, and the heads leave that where the trunk left it.
  CHECK(same(built.value("trunk.weight"), drawn(99, {4, 3, 1, 1})));
  CHECK(same(next, at::rand({2})));
}

TEST_CASE("model: one image tensor goes through trunk and heads") {
  Built built;
  const at::Tensor x = images(5, 4);
  const auto out = built(x, true);
  REQUIRE(out.size() == 1);
  const at::Tensor feature = at::conv2d(x, built.value("trunk.weight")).mean(at::IntArrayRef{2, 3});
  CHECK(at::allclose(out[0], at::linear(feature, built.value("heads.0.clf.0.weight"),
                                        built.value("heads.0.clf.0.bias"))));
  REQUIRE(trunk_calls().size() == 1);
  CHECK(trunk_calls()[0].training);
  CHECK(trunk_calls()[0].inputs == std::vector<std::string>{"image"});
}

TEST_CASE("model: several heads on one feature run one after another, a chain is one head") {
  Built several(
      R"({"heads": [{"name": "linear", "in_channels": 4, "width": 2}, {"name": "linear", "in_channels": 2, "width": 3}]})");
  CHECK(several(images(2, 2))[0].sizes() == at::IntArrayRef{2, 3});
  Built chain(
      R"({"heads": [[{"name": "linear", "in_channels": 4, "width": 2}, {"name": "twice"}]]})");
  const auto out = chain(images(2, 2));
  REQUIRE(out.size() == 2);  // all outputs of a head, in order
  CHECK(same(out[1], out[0] * 2));
}

TEST_CASE("model: consecutive crops of one width go through the trunk together") {
  ModelInput input;
  input.tensors = {images(2, 4), images(2, 4) + 1, images(2, 3), images(2, 4) - 1};
  input.list = true;
  Built built;
  const auto out = built.model.forward(input);
  REQUIRE(trunk_calls().size() == 3);
  CHECK(trunk_calls()[0].shape == std::vector<int64_t>{4, 3, 4, 4});
  CHECK(trunk_calls()[1].shape == std::vector<int64_t>{2, 3, 3, 3});
  CHECK(trunk_calls()[2].shape == std::vector<int64_t>{2, 3, 4, 4});
  REQUIRE(out.size() == 1);
  at::Tensor expected = at::cat({built(input.tensors[0])[0], built(input.tensors[1])[0],
                                 built(input.tensors[2])[0], built(input.tensors[3])[0]});
  CHECK(at::allclose(out[0], expected));

  Built alone(R"({"single_pass_every_crop": true})");
  alone.model.forward(input);
  CHECK(trunk_calls().size() == 4);
}

TEST_CASE("model: mapped inputs take their features, heads and further fields") {
  Built built(
      R"({"heads": [{"name": "linear", "in_channels": 4, "width": 2}, {"name": "linear", "in_channels": 4, "width": 3}],
                  "inputs": [{"key": "images", "features": ["pooled"]}, {"key": "absent"},
                             {"key": "patches", "features": [], "head": 0, "extra": ["mask", "none"]}]})");
  ModelInput input;
  input.tensors = {images(2, 4)};
  input.fields = {{"images", images(2, 4)}, {"patches", images(6, 2)}, {"mask", at::ones({6})}};
  const auto out = built.model.forward(input);
  REQUIRE(out.size() == 2);
  CHECK(out[0].sizes() == at::IntArrayRef{2, 2});
  CHECK(out[1].sizes() == at::IntArrayRef{6, 2});
  REQUIRE(trunk_calls().size() == 2);
  CHECK(trunk_calls()[1].inputs == std::vector<std::string>{"image", "mask"});
  input.fields = {{"data", images(2, 4)}};
  CHECK(error_of([&] { built.model.forward(input); }) ==
        "the batch has none of the keys of [[model.inputs]]: 'images' 'absent' 'patches'; it has "
        "'data'");
  CHECK(build_error(R"({"inputs": [{"key": "a"}, {"key": "a"}]})") ==
        "exp.toml:1:1: [[model.inputs]] names the key 'a' twice; each input can be mapped once");
  CHECK(build_error(R"({"inputs": [{"key": "a", "head": 1}]})") ==
        "exp.toml:1:1: head 1 of input 'a' does not exist; model.heads has 1");
}

TEST_CASE("model: asked for features, it returns them in request order and runs no head") {
  Built built;
  ModelInput input;
  input.tensors = {images(2, 4)};
  input.features = {"pooled", "conv", "pooled"};
  const auto out = built.model.forward(input);
  REQUIRE(out.size() == 3);
  CHECK(out[0].sizes() == at::IntArrayRef{2, 4, 1, 1});
  CHECK(out[1].sizes() == at::IntArrayRef{2, 4, 4, 4});
  CHECK(same(out[2], out[0]));
  input.features = {"res9"};
  CHECK(error_of([&] { built.model.forward(input); }) ==
        "trunk 'convolution': unknown feature 'res9'; known: conv, pooled, flatten");
}

TEST_CASE("model: input types change what the trunk sees") {
  const at::Tensor x = images(1, 2);
  Built bgr(R"({"input_type": "bgr"})");
  Built rgb;
  CHECK(same(bgr(x)[0], rgb(x.flip(1))[0]) == false);  // other draws: compare with the same weights
  rgb.model.store().copy_from(bgr.model.store());
  CHECK(same(bgr(x)[0], rgb(x.flip(1))[0]));
  const Json lab = config(R"({"input_type": "lab"})");
  TestCatalogue catalogue;
  auto facts = test_facts();
  facts.input_channels = 1;
  Model model(ModelConfig({setting(lab)}), catalogue, facts);
  trunk_calls().clear();
  ModelInput input;
  input.tensors = {x};
  model.forward(input);
  CHECK(trunk_calls()[0].shape == std::vector<int64_t>{1, 1, 2, 2});
}

TEST_CASE(
    "feature extractor: the trunk is wrapped, frozen, in eval mode, and its features are pooled") {
  Built built(extractor(
      R"([{"name": "conv", "pool": "AvgPool2d", "args": [[2, 2], 2, 0]},
                            {"name": "conv", "pool": "AdaptiveMaxPool2d", "args": [[1, 1]]},
                            {"name": "pooled", "pool": "Identity", "args": []}])",
      R"([{"name": "linear", "in_channels": 16, "width": 2}, {"name": "linear", "in_channels": 4, "width": 2},
                            {"name": "linear", "in_channels": 4, "width": 2}])"));
  CHECK(built.model.feature_extractor());
  CHECK(names(built.model)[0] == "trunk.base_model.weight");
  CHECK(built.model.output_names() == std::vector<std::string>{"conv", "conv", "pooled"});
  CHECK_FALSE(built.model.store().find("trunk.base_model.weight")->trainable());
  CHECK(built.model.store().find("heads.0.clf.0.weight")->trainable());
  const at::Tensor x = images(2, 4);
  const auto out = built(x, true);
  CHECK_FALSE(trunk_calls()[0].training);
  REQUIRE(out.size() == 3);
  const at::Tensor conv = at::conv2d(x, built.value("trunk.base_model.weight"));
  auto head = [&](const std::string& h, const at::Tensor& feature) {
    return at::linear(feature.flatten(1), built.value(h + ".clf.0.weight"),
                      built.value(h + ".clf.0.bias"));
  };
  CHECK(at::allclose(out[0], head("heads.0", at::avg_pool2d(conv, {2, 2}, {2, 2}))));
  CHECK(at::allclose(out[1], head("heads.1", conv.amax(at::IntArrayRef{2, 3}))));
  CHECK(at::allclose(out[2], head("heads.2", conv.mean(at::IntArrayRef{2, 3}))));
  ModelInput request;
  request.tensors = {x};
  request.features = {"conv",
                      "flatten"};  // the first entry of its name pools it; others come as they are
  const auto features = built.model.forward(request);
  CHECK(features[0].sizes() == at::IntArrayRef{2, 16});
  CHECK(features[1].sizes() == at::IntArrayRef{2, 4});
}

TEST_CASE("feature extractor: trunk features alone skip the heads") {
  Json json = config(extractor(R"([{"name": "pooled"}, {"name": "flatten"}])", "[]"));
  json["feature_eval"]["extract_trunk_features_only"] = true;
  json["feature_eval"]["should_flatten_feats"] = false;
  TestCatalogue catalogue;
  Model model(ModelConfig({setting(json)}), catalogue, test_facts());
  ModelInput input;
  input.tensors = {images(2, 4)};
  const auto out = model.forward(input);
  REQUIRE(out.size() == 2);
  CHECK(out[0].sizes() == at::IntArrayRef{2, 4, 1, 1});
}

TEST_CASE("feature extractor: pooling settings that cannot work are refused") {
  auto text = [](const std::string& features) {
    return build_error(
        extractor(features, R"([{"name": "linear", "in_channels": 4, "width": 2}])"));
  };
  CHECK(text(R"([{"name": "conv", "pool": "Blur", "args": []}])") ==
        "exp.toml:1:1: feature 'conv' of model.feature_eval: there is no pooling 'Blur'; use "
        "AvgPool2d, "
        "MaxPool2d, AdaptiveAvgPool2d, AdaptiveMaxPool2d or Identity");
  CHECK(text(R"([{"name": "conv", "pool": "AvgPool2d", "args": []}])") ==
        "exp.toml:1:1: feature 'conv' of model.feature_eval: AvgPool2d takes 1 to 3 arguments, but "
        "args has 0");
  CHECK(text(R"([{"name": "conv", "pool": "AvgPool2d", "args": [[1, 2, 3]]}])") ==
        "exp.toml:1:1: feature 'conv' of model.feature_eval: AvgPool2d takes one or two numbers "
        "per argument");
  CHECK(
      build_error(extractor(
          R"([{"name": "conv"}, {"name": "pooled"}, {"name": "flatten"}])",
          R"([{"name": "linear", "in_channels": 4, "width": 2}, {"name": "linear", "in_channels": 4, "width": 2}])")) ==
      "exp.toml:1:1: model.feature_eval.features lists 3 features, but model.heads has 2; give one "
      "head "
      "per feature, or one feature for all heads");
}

TEST_CASE(
    "model: a head that does not fit the trunk is refused before the first step, with exit code "
    "2") {
  const std::string wide = R"({"heads": [{"name": "linear", "in_channels": 8, "width": 2}]})";
  CHECK(build_error(wide) ==
        "exp.toml:1:1: model.heads[0] (linear) takes 8 channels, but feature 'flatten' of trunk "
        "'convolution' has 4; set the head's input width to 4");
  try {
    Built built(wide);
    FAIL("no error");
  } catch (const Error& e) {
    CHECK(e.code() == Exit::usage);
  }
  CHECK(build_error(R"({"heads": [[]]})") ==
        "exp.toml:1:1: model.heads[0] is an empty chain of heads");
}

TEST_CASE("model: freezing follows feature_eval, and names or globs of non_trainable_params") {
  auto trainable = [](const std::string& more) {
    Built built(more);
    return std::pair(built.model.store().find("trunk.weight")->trainable(),
                     built.model.store().find("heads.0.clf.0.weight")->trainable());
  };
  const auto flags = [](const std::string& names) {
    return R"({"feature_eval": {"eval_mode_on": true, )" + names + "}}";
  };
  CHECK(trainable("{}") == std::pair(true, true));
  CHECK(trainable(flags(R"("freeze_trunk_only": true)")) == std::pair(false, true));
  CHECK(trainable(flags(R"("freeze_trunk_and_head": true)")) == std::pair(false, false));
  CHECK(trainable(flags(R"("freeze_trunk_only": true, "freeze_trunk_and_head": true)")) ==
        std::pair(false, true));
  CHECK(trainable(R"({"feature_eval": {"freeze_trunk_only": true}})") == std::pair(true, true));
  CHECK(trainable(R"({"non_trainable_params": ["module.trunk.weight"]})") ==
        std::pair(false, true));
  CHECK(trainable(R"({"non_trainable_params": ["heads.*.weight"]})") == std::pair(true, false));
  CHECK(build_error(R"({"non_trainable_params": ["trunk.wight"]})") ==
        "exp.toml:1:1: model.non_trainable_params: no parameter matches 'trunk.wight'; `vissl-host "
        "show "
        "model` lists their names");
}

TEST_CASE("show model: names, shapes and counts, for people and as JSON") {
  Built built(R"({"non_trainable_params": ["trunk.weight"]})");
  const Json json = Json::parse(show_model(built.model, true));
  CHECK(json["tensors"].size() == 4);
  CHECK(json["tensors"][0]["name"] == "trunk.weight");
  CHECK(json["tensors"][0]["shape"] == Json::parse("[4, 3, 1, 1]"));
  CHECK(json["tensors"][0]["trainable"] == false);
  CHECK(json["tensors"][1]["kind"] == "buffer");
  CHECK(json["parameter_count"] == 12 + 8 + 2);
  CHECK(json["trainable_count"] == 8 + 2);
  CHECK(json["buffer_count"] == 4);
  const std::string table = show_model(built.model, false);
  CHECK(table.find("trunk convolution\nhead linear\nfeatures conv pooled flatten\n") == 0);
  CHECK(table.find("trunk.weight          [4, 3, 1, 1]  Float  frozen\n") != std::string::npos);
  CHECK(table.find("22 parameters, 10 of them trained; 4 values in buffers\n") !=
        std::string::npos);
}
