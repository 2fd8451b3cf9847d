// What `pretrained` makes of tensors and names against timm, Hugging Face's transformers and
// Python's re (scripts/oracle/weights_adapt.py, weights_filters.py).
#include <doctest/doctest.h>
#include <vissl/weights.h>

#include <algorithm>
#include <map>

#include "host/boundary.hpp"
#include "host/runtime/abi/handle.hpp"
#include "host/runtime/component_tests/component_host.hpp"
#include "host/weights/weights_plan.hpp"

using namespace vissl::host;
using namespace vissl::host::test;
using Json = nlohmann::json;

namespace {

std::vector<std::int64_t> shape_of(const Json& numbers) {
  return numbers["shape"].get<std::vector<std::int64_t>>();
}

// Plans one tensor `from` -> `target` and carries out what the plan asks for.
at::Tensor adapted(ComponentHost& host, const std::string& toml, const std::string& name,
                   const at::Tensor& from, const std::string& target,
                   const std::vector<std::int64_t>& shape) {
  const auto dtype = static_cast<DType>(static_cast<int>(from.scalar_type()));
  Node tree = Node::dict();
  tree[name] = TensorRef::contiguous(dtype, from.sizes().vec(),
                                     Storage::allocate(static_cast<std::uint64_t>(from.nbytes())));
  vissl::test::Instance profile =
      host.create("weights", "pretrained", "path = \"a.pth\"\nappend_prefix = \"trunk.\"\n" + toml);
  const auto& table = profile.table<vissl_weights_profile_class>(VISSL_WEIGHTS_PROFILE_ID);
  const WeightsPlan plan = plan_weights("a.pth", "torch_zip", tensors_of(tree),
                                        {{target, dtype, shape}}, table, profile.handle());
  REQUIRE(plan.rows[0].fate == WeightsFate::adapted);
  const vissl_weights_entry entry = entry_of(target, dtype, shape);
  vissl_tensor* const source = borrow(from);
  vissl_tensor* out = nullptr;
  vissl::host::ErrorSink error;
  error.check(
      table.adapt(profile.handle(), plan.rows[0].recipe, &source, 1, &entry, &out, error.get()),
      "adapt");
  return take(out);
}

// A whole file loaded into a model: its tensors by the model's names, and the plan's messages.
struct Loaded {
  std::map<std::string, at::Tensor> tensors;
  std::string messages;
};
Loaded loaded(ComponentHost& host, const std::string& toml, const Json& file,
              const std::vector<WeightsTarget>& targets) {
  Node tree = Node::dict();
  std::map<std::string, at::Tensor> by_name;
  for (const auto& [name, value] : file.items()) {
    by_name[name] = tensor_of(value).to(at::kFloat);
    tree[name] = TensorRef::contiguous(DType::float32, shape_of(value),
                                       Storage::allocate(by_name[name].nbytes()));
  }
  vissl::test::Instance profile = host.create("weights", "pretrained", "path = \"a.npz\"\n" + toml);
  const auto& table = profile.table<vissl_weights_profile_class>(VISSL_WEIGHTS_PROFILE_ID);
  const WeightsPlan plan =
      plan_weights("a.npz", "npz", tensors_of(tree), targets, table, profile.handle());
  if (plan.refusal) throw vissl::host::Error(*plan.refusal);
  Loaded out;
  for (const WeightsMessage& message : plan.messages) out.messages += message.line + "\n";
  for (std::size_t i = 0; i < plan.rows.size(); ++i) {
    const WeightsRow& row = plan.rows[i];
    const WeightsTarget& target = plan.targets[i];
    std::vector<vissl_tensor*> sources;
    for (const std::uint64_t source : row.sources)
      sources.push_back(borrow(by_name.at(plan.sources[source].name)));
    if (row.fate == WeightsFate::loaded)
      out.tensors[target.name] = by_name.at(plan.sources[row.sources.at(0)].name);
    if (row.fate != WeightsFate::adapted) continue;
    CHECK(!row.what.empty());
    const vissl_weights_entry entry = entry_of(target.name, target.dtype, target.shape);
    vissl_tensor* made = nullptr;
    vissl::host::ErrorSink error;
    error.check(table.adapt(profile.handle(), row.recipe, sources.data(), sources.size(), &entry,
                            &made, error.get()),
                "adapt");
    out.tensors[target.name] = take(made);
  }
  return out;
}

// timm's names as the model's: "head." is the only head's linear layer.
std::string model_name(const std::string& name) {
  if (name.rfind("head.", 0) == 0) return "heads.0.clf.0." + name.substr(5);
  return "trunk." + name;
}

}  // namespace

TEST_CASE("pretrained: files of Google, Hugging Face, DINOv2, DeiT III and CLIP become timm's") {
  ComponentHost host;
  struct Case {
    const char* name;
    const char* filters;
  };
  const Json all = golden("weights_filters.json");
  for (const Case& c : {Case{"jax", "jax"},
                        {"jax_big_vision", "jax"},
                        {"huggingface_vit", "qkv"},
                        {"dinov2", "layer_scale"},
                        {"huggingface_dinov2", "qkv, layer_scale"},
                        {"deit3", "layer_scale"},
                        {"clip", "clip"},
                        {"huggingface_clip", "clip, qkv"}}) {
    CAPTURE(c.name);
    const Json& state = all.at(c.name).at("state");
    std::vector<WeightsTarget> targets;
    for (const auto& [name, value] : state.items())
      targets.push_back({model_name(name), DType::float32, shape_of(value)});
    for (const char* profile : {"timm", "auto"}) {  // timm's is strict
      CAPTURE(profile);
      const Loaded got = loaded(host, "profile = \"" + std::string(profile) + "\"",
                                all.at(c.name).at("file"), targets);
      REQUIRE(got.tensors.size() == state.size());
      for (const auto& [name, value] : state.items()) {
        CAPTURE(name);
        CHECK(at::equal(got.tensors.at(model_name(name)).to(at::kDouble), tensor_of(value)));
      }
      CHECK(got.messages.find(std::string("weights: filters ") + c.filters + "\n") !=
            std::string::npos);
    }
  }
}

TEST_CASE("pretrained: Google's names may come out of a tree, with dots") {
  ComponentHost host;
  const Json all = golden("weights_filters.json").at("jax");
  Json file;
  for (const auto& [name, value] : all.at("file").items()) {
    std::string dotted = "params." + name;
    std::replace(dotted.begin(), dotted.end(), '/', '.');
    file[dotted] = value;
  }
  std::vector<WeightsTarget> targets;
  for (const auto& [name, value] : all.at("state").items())
    targets.push_back({model_name(name), DType::float32, shape_of(value)});
  const auto tensors = loaded(host, "profile = \"timm\"", file, targets).tensors;
  REQUIRE(tensors.size() == targets.size());
  for (const auto& [name, value] : all.at("state").items())
    CHECK(at::equal(tensors.at(model_name(name)).to(at::kDouble), tensor_of(value)));
}

TEST_CASE("pretrained: weight-normed layers become plain ones, and keep their parts if asked to") {
  ComponentHost host;
  const Json all = golden("weights_filters.json");
  for (const char* name : {"weight_norm", "weight_norm_parametrizations"}) {
    CAPTURE(name);
    const Json& file = all.at(name).at("file");
    const Json& state = all.at(name).at("state");
    std::vector<WeightsTarget> plain;
    for (const auto& [key, value] : state.items())
      plain.push_back({"trunk." + key, DType::float32, shape_of(value)});
    for (const char* toml :
         {"profile = \"auto\"", "state_dict_key_name = \"\"\nappend_prefix = \"trunk.\""}) {
      const Loaded got = loaded(host, toml, file, plain);
      for (const auto& [key, value] : state.items()) {
        CAPTURE(key);
        CHECK(distance(got.tensors.at("trunk." + key), tensor_of(value)) < 1e-6);
      }
    }
    CHECK_THROWS(loaded(host, "profile = \"timm\"\nfilters = []\nstrict = true", file, plain));
  }
  // A model of prototypes with a direction and a length, from all three forms.
  const std::vector<WeightsTarget> parts = {{"trunk.0.weight_g", DType::float32, {3, 1}},
                                            {"trunk.0.weight_v", DType::float32, {3, 4}}};
  const Json& old_names = all.at("weight_norm").at("file");
  const Json& new_names = all.at("weight_norm_parametrizations").at("file");
  const std::string original = "0.parametrizations.weight.original";
  const auto load = [&](const Json& file) {
    return loaded(host, "profile = \"auto\"", file, parts).tensors;
  };
  auto got = load(old_names);
  CHECK(
      at::equal(got.at("trunk.0.weight_g").to(at::kDouble), tensor_of(old_names.at("0.weight_g"))));
  got = load(new_names);
  CHECK(at::equal(got.at("trunk.0.weight_g").to(at::kDouble),
                  tensor_of(new_names.at(original + "0"))));
  CHECK(at::equal(got.at("trunk.0.weight_v").to(at::kDouble),
                  tensor_of(new_names.at(original + "1"))));
  const Json& state = all.at("weight_norm").at("state");
  got = load({{"0.weight", state.at("0.weight")}});
  const at::Tensor weight = tensor_of(state.at("0.weight"));
  CHECK(distance(got.at("trunk.0.weight_v"), weight) == 0);
  CHECK(distance(got.at("trunk.0.weight_g"), weight.norm(2, 1, true)) < 1e-6);
}

TEST_CASE(
    "pretrained: listed rows of a classifier come in their order, also as many as there are") {
  ComponentHost host;
  const Json file = {{"conv1.weight", {{"shape", {1}}, {"data", {0.5}}}},
                     {"fc.bias", {{"shape", {4}}, {"data", {1.0, 2.0, 4.0, 8.0}}}},
                     {"fc.weight", {{"shape", {4, 1}}, {"data", {1.0, 2.0, 4.0, 8.0}}}}};
  for (const std::vector<std::int64_t>& rows : {std::vector<std::int64_t>{3, 1}, {2, 0, 3, 1}}) {
    const auto count = static_cast<std::int64_t>(rows.size());
    const auto made = loaded(host, "profile = \"timm\"\nlabel_rows = " + Json(rows).dump(), file,
                             {{"trunk.conv1.weight", DType::float32, {1}},
                              {"heads.0.clf.0.weight", DType::float32, {count, 1}},
                              {"heads.0.clf.0.bias", DType::float32, {count}}})
                          .tensors;
    const at::Tensor expected = tensor_of(file.at("fc.bias")).index_select(0, at::tensor(rows));
    CHECK(distance(made.at("heads.0.clf.0.bias"), expected) == 0);
    CHECK(distance(made.at("heads.0.clf.0.weight"), expected.unsqueeze(1)) == 0);
  }
}

TEST_CASE("pretrained: another number of input channels equals timm's, in the file's type") {
  ComponentHost host;
  const Json cases = golden("weights_adapt.json")["channels"];
  REQUIRE(cases.size() == 8);
  for (const Json& c : cases) {
    const at::ScalarType dtype = c["half"].get<bool>() ? at::kHalf : at::kFloat;
    const at::Tensor from = tensor_of(c["from"]).to(dtype);
    const at::Tensor made = adapted(host, "profile = \"timm\"\nfirst_conv = [\"conv1\"]\n",
                                    "conv1.weight", from, "trunk.conv1.weight", shape_of(c["to"]));
    CHECK((made.scalar_type() == dtype));
    CHECK(at::equal(made.to(at::kDouble), tensor_of(c["to"])));
  }
}

TEST_CASE("pretrained: the documented weights 1, 2, 4 give 7, and 1 to 12 give 6, 15, 24, 33") {
  ComponentHost host;
  const auto made = [&](const at::Tensor& weights, std::int64_t channels) {
    const at::Tensor from = weights.reshape({1, -1, 1, 1});
    return adapted(host, "profile = \"timm-classic\"\nfirst_conv = [\"conv1\"]\n", "conv1.weight",
                   from, "trunk.conv1.weight", {1, channels, 1, 1})
        .flatten();
  };
  const at::Tensor three = at::tensor({1.0f, 2.0f, 4.0f});
  CHECK(at::equal(made(three, 1), at::tensor({7.0f})));
  CHECK(at::equal(made(three, 2), at::tensor({1.5f, 3.0f})));
  CHECK(at::equal(made(three, 4), at::tensor({0.75f, 1.5f, 3.0f, 0.75f})));
  CHECK(at::equal(made(at::arange(1, 13, at::kFloat), 4), at::tensor({6.0f, 15.0f, 24.0f, 33.0f})));
}

TEST_CASE("pretrained: EssentialMC2's line on element types has torch's names for them") {
  ComponentHost host;
  Node tree = Node::dict();
  tree["conv.weight"] = TensorRef::contiguous(DType::float16, {2}, Storage::allocate(4));
  tree["conv.bias"] = TensorRef::contiguous(DType::float32, {2}, Storage::allocate(8));
  vissl::test::Instance profile = host.create(
      "weights", "pretrained", "path = \"a.pth\"\nprofile = \"essmc2\"\ndtype_mismatch = \"drop\"");
  const WeightsPlan plan = plan_weights(
      "a.pth", "torch_zip", tensors_of(tree),
      {{"trunk.conv.weight", DType::float32, {2}}, {"trunk.conv.bias", DType::float32, {2}}},
      profile.table<vissl_weights_profile_class>(VISSL_WEIGHTS_PROFILE_ID), profile.handle());
  REQUIRE(plan.messages.size() > 1);
  CHECK(plan.messages[1].line ==
        "ignore keys from source: \nconv.weight: invalid dtype, dst torch.float32 vs. src "
        "torch.float16");
}

TEST_CASE("pretrained: position embeddings equal timm's with antialias and VISSL's without") {
  ComponentHost host;
  for (const Json& c : golden("weights_adapt.json")["positions"]) {
    const at::Tensor from = tensor_of(c["from"]).to(at::kFloat);
    const at::Tensor made = adapted(
        host, c["antialias"].get<bool>() ? "profile = \"timm\"" : "state_dict_key_name = \"\"",
        "pos_embed", from, "trunk.pos_embed", shape_of(c["to"]));
    CHECK(distance(made, tensor_of(c["to"])) < 1e-6);
  }
}

TEST_CASE("pretrained: relative positions of another window equal timm's, for Swin, BEiT, MaxViT") {
  ComponentHost host;
  const Json cases = golden("weights_adapt.json")["windows"];
  REQUIRE(cases.size() == 12);
  for (const Json& c : cases) {
    CAPTURE(c["from"]["shape"].dump());
    const bool half = c["half"].get<bool>();
    const at::Tensor from = tensor_of(c["from"]).to(half ? at::kHalf : at::kFloat);
    for (const char* profile : {"profile = \"timm\"", "profile = \"timm-classic\""}) {
      const at::Tensor made =
          adapted(host, profile, "blocks.0.attn.relative_position_bias_table", from,
                  "trunk.blocks.0.attn.relative_position_bias_table", shape_of(c["to"]));
      CHECK((made.scalar_type() == from.scalar_type()));
      CHECK(distance(made, tensor_of(c["to"])) < (half ? 1e-3 : 1e-6));
    }
  }
}

TEST_CASE("pretrained: rules rewrite names as Python's re.sub does") {
  ComponentHost host;
  const Json cases = golden("weights_adapt.json")["rules"];
  REQUIRE(cases.size() > 80);
  for (const Json& c : cases) {
    const std::string name = c["name"], result = c["result"];
    INFO(c.dump());
    Node tree = Node::dict();
    tree[name] = TensorRef::contiguous(DType::float32, {2}, Storage::allocate(8));
    const std::string rule = Json{c["pattern"], c["replacement"]}.dump();  // also TOML
    vissl::test::Instance profile = host.create(
        "weights", "pretrained",
        "path = \"a.pth\"\nprofile = \"mmcv\"\nappend_prefix = \"trunk.\"\nrev_keys = [" + rule +
            "]");
    const WeightsPlan plan = plan_weights(
        "a.pth", "torch_zip", tensors_of(tree), {{"trunk." + result, DType::float32, {2}}},
        profile.table<vissl_weights_profile_class>(VISSL_WEIGHTS_PROFILE_ID), profile.handle());
    CHECK(plan.rows[0].fate == WeightsFate::loaded);
  }
}

TEST_CASE("pretrained: rules that Python's re does not take are refused") {
  ComponentHost host;
  const Json cases = golden("weights_adapt.json")["refused"];
  REQUIRE(cases.size() > 40);
  for (const Json& rule : cases) {
    INFO(rule.dump());
    CHECK_THROWS_AS(
        host.create("weights", "pretrained",
                    "path = \"a.pth\"\nprofile = \"mmcv\"\nrev_keys = [" + rule.dump() + "]"),
        std::exception);
  }
}
