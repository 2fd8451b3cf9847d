#include "host/runtime/model/store.hpp"

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "host/runtime/abi/context.hpp"
#include "host/runtime/abi/test_call.hpp"

using namespace vissl::host;
using namespace vissl::host::test;

namespace {

vissl_store_spec spec(std::string_view name, std::vector<int64_t> shape, uint32_t init,
                      double a = 0, double b = 0) {
  vissl_store_spec s{};
  s.size = sizeof(s);
  s.name = str(name);
  s.dtype = VISSL_F32;
  s.ndim = static_cast<uint32_t>(shape.size());
  std::copy(shape.begin(), shape.end(), s.shape);
  s.init = init;
  s.a = a;
  s.b = b;
  s.depth = -1;
  return s;
}

// torch's default of Linear and Conv layers: kaiming_uniform_(a = sqrt(5)), in the order of its own
// operations.
double default_bound(int64_t fan_in) {
  const double gain = std::sqrt(2.0 / (1 + std::pow(std::sqrt(5.0), 2)));
  return std::sqrt(3.0) * (gain / std::sqrt(static_cast<double>(fan_in)));
}

void layer(vissl_store* store, const std::string& name, std::vector<int64_t> weight, bool bias) {
  int64_t fan_in = 1;
  for (std::size_t i = 1; i < weight.size(); ++i) fan_in *= weight[i];
  const double bound = default_bound(fan_in);
  vissl_tensor* out = nullptr;
  const std::string weight_name = name + ".weight", bias_name = name + ".bias";
  const auto w = spec(weight_name, weight, VISSL_INIT_UNIFORM, -bound, bound);
  REQUIRE(store_api().param(store, &w, &out, nullptr) == VISSL_OK);
  if (!bias) return;
  const double b = 1 / std::sqrt(static_cast<double>(fan_in));
  const auto s = spec(bias_name, {weight[0]}, VISSL_INIT_UNIFORM, -b, b);
  REQUIRE(store_api().param(store, &s, &out, nullptr) == VISSL_OK);
}

std::string hex(float value) {
  char text[9];
  std::snprintf(text, sizeof(text), "%08x", std::bit_cast<unsigned>(value));
  return text;
}

void check_equal(const nlohmann::json& golden, const at::Tensor& value) {
  const at::Tensor flat = value.detach().reshape({-1}).contiguous();
  CHECK(golden["shape"].get<std::vector<int64_t>>() == value.sizes().vec());
  const float* data = flat.const_data_ptr<float>();
  const auto first = golden["first"].get<std::vector<std::string>>();
  const auto last = golden["last"].get<std::vector<std::string>>();
  const auto n = static_cast<std::size_t>(flat.numel());
  for (std::size_t i = 0; i < first.size(); ++i) CHECK(hex(data[i]) == first[i]);
  for (std::size_t i = 0; i < last.size(); ++i) CHECK(hex(data[n - last.size() + i]) == last[i]);
  // The order of a sum depends on the width of the processor's vectors: not bit for bit.
  auto close = [](double value) { return doctest::Approx(value).epsilon(1e-12); };
  CHECK(flat.to(at::kDouble).sum().item<double>() == close(golden["sum"].get<double>()));
  CHECK(flat.to(at::kDouble).pow(2).sum().item<double>() ==
        close(golden["sum_of_squares"].get<double>()));
}

void seed(uint64_t value) {
  default_generator().set_current_seed(value);
}

}  // namespace

TEST_CASE("store: initial values are torch's, bit for bit, in the order of creation") {
  std::ifstream file(VISSL_SOURCE_DIR "/tests/golden/init.json");
  const auto golden = nlohmann::json::parse(file);
  Store store(5);
  vissl_store* root = store.scope();
  seed(0);
  layer(root, "conv", {8, 3, 7, 7}, true);
  layer(root, "linear", {10, 20}, true);
  layer(root, "grouped", {16, 2, 3, 3}, false);
  vissl_tensor* out = nullptr;
  for (const auto& s : {
           spec("trunc", {33, 7}, VISSL_INIT_TRUNC_NORMAL, 0.02, 2.0),
           spec("trunc_cut", {40}, VISSL_INIT_TRUNC_NORMAL, 1.0, 0.5),
           spec("normal", {5, 3}, VISSL_INIT_NORMAL, 0.5, 2.0),
           spec("normal_large", {64, 3}, VISSL_INIT_NORMAL, 0.0, 0.01),
           spec("orthogonal_wide", {4, 9}, VISSL_INIT_ORTHOGONAL, 1.5),
           spec("orthogonal_tall", {9, 2, 2}, VISSL_INIT_ORTHOGONAL, 1.0),
       })
    REQUIRE(store_api().param(root, &s, &out, nullptr) == VISSL_OK);
  REQUIRE(store_api().seed_push(root, 2, nullptr) == VISSL_OK);
  const auto s = spec("seeded", {4, 4}, VISSL_INIT_UNIFORM, -default_bound(4), default_bound(4));
  REQUIRE(store_api().param(root, &s, &out, nullptr) == VISSL_OK);
  REQUIRE(store_api().seed_pop(root, nullptr) == VISSL_OK);
  for (const auto& [name, value] : golden.items()) {
    CAPTURE(name);
    Entry* entry = store.find(name);
    REQUIRE(entry != nullptr);
    check_equal(value, entry->tensor);
  }
  CHECK(golden.size() == store.entries().size());
}

TEST_CASE("store: a seeded block and a discarded layer leave the generator where it should be") {
  Store store(1);
  seed(3);
  const at::Tensor first = at::rand({4});
  const at::Tensor second = at::rand({4});
  seed(3);
  CHECK(same(at::rand({4}), first));
  store.seed_push(0);
  CHECK_FALSE(same(at::rand({4}), second));
  store.seed_pop();
  CHECK(same(at::rand({4}), second));
  seed(3);
  store.discard(spec("", {4}, VISSL_INIT_UNIFORM, 0, 1));
  CHECK(same(at::rand({4}), second));
  CHECK(error_of([&] { store.seed_pop(); }) == "seed_pop was called without seed_push");
  store.seed_push(0);
  CHECK(error_of([&] { store.close(); }) == "build ended between seed_push and seed_pop");
}

TEST_CASE("store: names join scopes, and handles stay the same through conversions") {
  Store store(0);
  vissl_store* trunk = store_api().child(store.scope(), str("trunk"));
  vissl_store* block = store_api().child(trunk, str("layer1.0"));
  CHECK(store_api().child(trunk, str("layer1.0")) == block);
  vissl_tensor* weight = nullptr;
  auto s = spec("conv.weight", {2, 2}, VISSL_INIT_CONSTANT, 3.0);
  s.tags = VISSL_TAG_FIRST_CONV;
  s.depth = 4;
  REQUIRE(store_api().param(block, &s, &weight, nullptr) == VISSL_OK);
  CHECK(store_api().find(trunk, str("layer1.0.conv.weight")) == weight);
  CHECK(store_api().find(trunk, str("conv.weight")) == nullptr);
  Entry* entry = store.find("trunk.layer1.0.conv.weight");
  REQUIRE(entry != nullptr);
  CHECK(entry->depth == 4);
  CHECK(entry->trainable());
  REQUIRE(store_api().scale(block, str("conv.weight"), 0.5, nullptr) == VISSL_OK);
  CHECK(error_of([&] { store.scale("conv.weight", 0.5); }) ==
        "'conv.weight' cannot be scaled: the store has no such name");
  CHECK(error_of([&] { Store(0).copy_from(store); }) ==
        "values cannot be copied between models with 1 and 0 tensors");
  store.to(at::kDouble, at::kCPU);
  CHECK(same(unwrap(weight), at::full({2, 2}, 1.5, at::kDouble)));
  CHECK(unwrap(weight).requires_grad());
}

TEST_CASE("store: what cannot be created is refused with its name") {
  Store store(0);
  vissl_store* root = store.scope();
  ErrorSink err;
  vissl_tensor* out = nullptr;
  auto text = [&](const vissl_store_spec& s) {
    CHECK(store_api().param(root, &s, &out, err.get()) == VISSL_E_FAILED);
    return err.text();
  };
  REQUIRE(store.add_parameter("w", spec("w", {2}, VISSL_INIT_ZEROS)).trainable());
  CHECK(text(spec("w", {2}, VISSL_INIT_ZEROS)) == "the name 'w' is created twice in one store");
  CHECK(text(spec("", {2}, VISSL_INIT_ZEROS)) == "a parameter or buffer needs a name");
  CHECK(text(spec("x", {2, -1}, VISSL_INIT_ZEROS)) ==
        "'x' cannot be created: its shape [2, -1] has a negative size");
  CHECK(text(spec("x", {2}, 99)) == "'x' cannot be created: there is no initial value number 99");
  CHECK(text(spec("x", {2}, VISSL_INIT_ORTHOGONAL)) ==
        "'x' cannot be created: an orthogonal initial value needs at least two dimensions");
  auto integer = spec("x", {2}, VISSL_INIT_ZEROS);
  integer.dtype = VISSL_I64;
  CHECK(text(integer) ==
        "parameter 'x' has the integer type Long, which has no gradient; make it a buffer");
  store.close();
  CHECK(text(spec("late", {2}, VISSL_INIT_ZEROS)) ==
        "'late' is created after build; parameters and buffers can be created in build only");
}

TEST_CASE("store: state dicts keep order and prefixes, and loading is all or nothing") {
  Store store(0);
  store.add_parameter("trunk.a", spec("", {2}, VISSL_INIT_ONES));
  auto hidden = spec("", {1}, VISSL_INIT_ZEROS);
  hidden.buffer = VISSL_BUFFER_NOT_SAVED;
  store.add_buffer("trunk.hidden", hidden);
  store.add_buffer("trunk.b", spec("", {3}, VISSL_INIT_ZEROS));
  store.add_parameter("heads.0.w", spec("", {1}, VISSL_INIT_ONES));
  const StateDict state = store.state_dict("trunk.");
  REQUIRE(state.size() == 2);
  CHECK(state[0].first == "a");
  CHECK(state[1].first == "b");

  const at::Tensor twos = at::full({2}, 2.0), threes = at::full({3}, 3.0);
  CHECK(error_of([&] {
          store.load_state_dict({{"a", twos}}, "trunk.", true, "x.torch");
        }) == "x.torch: 'trunk.b' is missing");
  CHECK(error_of([&] {
          store.load_state_dict({{"a", twos}, {"b", twos}}, "trunk.", true, "x.torch");
        }) == "x.torch: 'trunk.b' has the shape [2] there, but [3] in this model");
  CHECK(error_of([&] {
          store.load_state_dict({{"c", twos}}, "trunk.", true, "x.torch");
        }) == "x.torch: the model has no 'trunk.c'");
  CHECK(same(store.find("trunk.a")->tensor.detach(), at::ones({2})));
  store.load_state_dict({{"a", twos}, {"b", threes.to(at::kDouble)}}, "trunk.", true, "x.torch");
  CHECK(same(store.find("trunk.a")->tensor.detach(), twos));
  CHECK(same(store.find("trunk.b")->tensor, threes));
  store.load_state_dict({{"a", twos + 1}, {"zzz", twos}}, "trunk.", false, "x.torch");
  CHECK(same(store.find("trunk.a")->tensor.detach(), twos + 1));
}

TEST_CASE("store: freezing spares nothing but parameters that never train") {
  Store store(0);
  store.add_parameter("trunk.a", spec("", {1}, VISSL_INIT_ONES));
  auto fixed = spec("", {1}, VISSL_INIT_ONES);
  fixed.tags = VISSL_TAG_NO_GRAD;
  store.add_parameter("trunk.g", fixed);
  store.add_parameter("heads.0.w", spec("", {1}, VISSL_INIT_ONES));
  CHECK_FALSE(store.find("trunk.g")->trainable());
  CHECK(store.set_trainable("trunk.", false) == 2);
  CHECK_FALSE(store.find("trunk.a")->trainable());
  CHECK(store.find("heads.0.w")->trainable());
  CHECK(store.set_trainable("trunk.", true) == 2);
  CHECK(store.find("trunk.a")->trainable());
  CHECK_FALSE(store.find("trunk.g")->trainable());
}
