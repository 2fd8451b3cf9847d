// The SDK's nn:: modules over the real store and operators, against torch's modules from the same
// seed (scripts/oracle/nn_modules.py).
#include <doctest/doctest.h>
#include <vissl/nn.hpp>

#include "host/runtime/abi/handle.hpp"
#include "host/runtime/component_tests/component_host.hpp"

using namespace vissl::host;
using namespace vissl::host::test;
namespace nn = vissl::nn;

namespace {

constexpr std::uint64_t kSeed = 5;

vissl::Tensor given(const at::Tensor& tensor) {
  return vissl::Tensor::borrow(borrow(tensor));
}
at::Tensor value(const vissl::Tensor& tensor) {
  return unwrap(tensor.handle()).detach();
}

// A store whose modules draw from the seed, with the services that they need.
struct Fixture {
  Fixture() { at::manual_seed(kSeed); }
  nn::Scope scope() { return nn::Scope(store.scope()); }
  at::Tensor& entry(const std::string& name) { return store.find(name)->tensor; }

  ComponentHost host;
  Store store{0};
};

template <class Norm>
void check_norm(Fixture& fixture, const Norm& norm, const at::Tensor& x,
                const nlohmann::json& expected) {
  for (const char* name : {"weight", "bias"}) {
    CHECK(distance(fixture.entry(name), tensor_of(expected.at("initial").at(name))) == 0.0);
    const double seed = *name == 'w' ? 1.0 : 2.0;
    const at::NoGradGuard no_grad;
    fixture.entry(name).copy_(wave(fixture.entry(name).sizes().vec(), seed));
  }
  const vissl::Tensor out = norm(given(x));
  CHECK(distance(value(out), tensor_of(expected.at("output"))) < 1e-6);
  const at::Tensor& y = unwrap(out.handle());
  (y * wave(y.sizes().vec(), 3.0)).sum().backward();
  CHECK(distance(fixture.entry("weight").grad(), tensor_of(expected.at("weight_grad"))) < 1e-5);
  CHECK(distance(fixture.entry("bias").grad(), tensor_of(expected.at("bias_grad"))) < 1e-5);
}

}  // namespace

TEST_CASE("nn: layer norm and group norm have torch's initial values, outputs and gradients") {
  {
    Fixture fixture;
    const nn::LayerNorm norm(fixture.scope(), 6);
    check_norm(fixture, norm, wave({2, 3, 6}, 0.3), golden("nn_modules.json").at("layer_norm"));
  }
  Fixture fixture;
  const nn::GroupNorm norm(fixture.scope(), 3, 6);
  check_norm(fixture, norm, wave({2, 6, 4, 4}, 0.3), golden("nn_modules.json").at("group_norm"));
  CHECK(error_text([&] { nn::GroupNorm(fixture.scope() / "other", 4, 6); }) ==
        "group norm: 6 channels do not divide into 4 groups");
}

TEST_CASE("nn: an embedding draws torch's weights and picks their rows") {
  Fixture fixture;
  const nn::Embedding embedding(fixture.scope(), 7, 4);
  const nlohmann::json expected = golden("nn_modules.json").at("embedding");
  CHECK(distance(fixture.entry("weight"), tensor_of(expected.at("weight"))) == 0.0);
  const at::Tensor indices = at::tensor({0, 3, 6, 1}, at::kLong).reshape({2, 2});
  CHECK(distance(value(embedding(given(indices))), tensor_of(expected.at("output"))) == 0.0);
}

TEST_CASE("nn: attention equals torch's scaled dot products, with its own scale too") {
  Fixture fixture;
  const nn::Attention attention(fixture.scope(), 8, 2, true, 0.0, nn::Init::normal(0, 0.5));
  const nlohmann::json expected = golden("nn_modules.json").at("attention");
  CHECK(distance(fixture.entry("qkv.weight"), tensor_of(expected.at("qkv"))) == 0.0);
  CHECK(distance(fixture.entry("proj.weight"), tensor_of(expected.at("proj"))) == 0.0);
  CHECK(fixture.entry("qkv.bias").abs().max().item<float>() == 0.0F);
  const at::Tensor x = wave({2, 3, 8}, 0.4);
  CHECK(distance(value(attention(given(x), false)), tensor_of(expected.at("output"))) < 1e-5);
  nn::Attention scaled = attention;
  scaled.scale = 0.1;
  CHECK(distance(value(scaled(given(x), true)), tensor_of(expected.at("scaled"))) < 1e-5);
  CHECK(error_text([&] {
          nn::Attention(fixture.scope() / "other", 8, 3, true, 0.0, nn::Init::zeros());
        }) == "attention: width 8 does not divide into 3 heads");
}

TEST_CASE("nn: drop path drops the samples that timm drops, and none outside training") {
  Fixture fixture;
  const nn::DropPath drop{0.3};
  const at::Tensor x = wave({8, 2, 3}, 0.6);
  CHECK(distance(value(drop(given(x), true)),
                 tensor_of(golden("nn_modules.json").at("drop_path").at("output"))) < 1e-6);
  CHECK(distance(value(drop(given(x), false)), x) == 0.0);
}
