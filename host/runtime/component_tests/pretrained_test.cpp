// What `pretrained` makes of tensors and names against timm and Python's re
// (scripts/oracle/weights_adapt.py).
#include <doctest/doctest.h>
#include <vissl/weights.h>

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

}  // namespace

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
