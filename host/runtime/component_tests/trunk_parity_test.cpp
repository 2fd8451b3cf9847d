#include "host/runtime/component_tests/trunk_parity.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <doctest/doctest.h>
#include <vissl/store.h>
#include <vissl/trunk.h>

#include <algorithm>
#include <span>

#include "host/files/crc.hpp"
#include "host/runtime/abi/handle.hpp"

namespace vissl::host::test {

namespace {

void check_summary(const nlohmann::json& wanted, const at::Tensor& found, double tolerance) {
  const at::Tensor x = found.detach().to(at::kDouble);
  REQUIRE(x.sizes().vec() == wanted.at("shape").get<std::vector<std::int64_t>>());
  const auto values = wanted.at("values").get<std::vector<double>>();
  const at::Tensor flat = x.reshape({-1});
  const auto count = static_cast<std::int64_t>(values.size());
  const at::Tensor picks =
      at::linspace(0, static_cast<double>(flat.numel() - 1), count, at::kFloat).to(at::kLong);
  const double scale = std::max(1.0, flat.abs().max().item<double>());
  CHECK(distance(flat.index_select(0, picks), at::tensor(values, at::kDouble)) < tolerance * scale);
  CHECK(std::abs(flat.mean().item<double>() - wanted.at("mean").get<double>()) < tolerance * scale);
  CHECK(std::abs(flat.pow(2).mean().item<double>() - wanted.at("square").get<double>()) <
        tolerance * scale * scale);
}

// A store that only counts: every handle is that of one empty tensor.
struct Counter {
  std::int64_t elements = 0;
  at::Tensor empty = at::empty({0});
};
vissl_status count(vissl_store* store, const vissl_store_spec* spec, vissl_tensor** out,
                   std::int64_t weight) {
  auto& counter = *reinterpret_cast<Counter*>(store);
  for (std::uint32_t i = 0; i < spec->ndim; ++i) weight *= spec->shape[i];
  counter.elements += weight;
  *out = borrow(counter.empty);
  return VISSL_OK;
}
constexpr vissl_store_api kCountingStore = {
    sizeof(vissl_store_api),
    [](vissl_store* store, vissl_str) { return store; },
    [](vissl_store* store, const vissl_store_spec* spec, vissl_tensor** out, vissl_err*) {
      return count(store, spec, out, 1);
    },
    [](vissl_store* store, const vissl_store_spec* spec, vissl_tensor** out, vissl_err*) {
      return count(store, spec, out, 0);
    },
    [](vissl_store*, vissl_str) -> vissl_tensor* { return nullptr; },
    [](vissl_store*, vissl_str, double, vissl_err*) -> vissl_status { return VISSL_OK; },
    [](vissl_store*, std::uint64_t, vissl_err*) -> vissl_status { return VISSL_OK; },
    [](vissl_store*, vissl_err*) -> vissl_status { return VISSL_OK; },
    [](vissl_store*, const vissl_store_spec*, vissl_err*) -> vissl_status { return VISSL_OK; },
    [](vissl_store*) -> std::uint64_t { return 0; },
    [](vissl_store*, std::uint64_t, vissl_store_entry*, vissl_err*) -> vissl_status {
      return VISSL_E_FAILED;
    }};

}  // namespace

void check_initial(const nlohmann::json& golden, const StateDict& state) {
  std::string names, bytes;
  for (const auto& [key, tensor] : state) {
    std::string shape;
    for (const std::int64_t n : tensor.sizes())
      shape += (shape.empty() ? "" : ", ") + std::to_string(n);
    names += (names.empty() ? "" : "\n") + key + " [" + shape + "]";
    const at::Tensor plain = tensor.detach().contiguous();
    bytes.append(static_cast<const char*>(plain.data_ptr()), plain.nbytes());
  }
  CHECK(state.size() == golden.at("count").get<std::size_t>());
  CHECK(crc32(std::as_bytes(std::span(names))) == golden.at("names").get<std::uint32_t>());
  CHECK(crc32(std::as_bytes(std::span(bytes))) == golden.at("crc").get<std::uint32_t>());
}

std::string toml_of(const nlohmann::json& options) {
  std::string text;
  for (const auto& [key, value] : options.items()) text += key + " = " + value.dump() + "\n";
  return text;
}

at::Tensor noise(at::IntArrayRef shape, std::uint64_t seed, at::ScalarType dtype) {
  const at::Generator generator = at::detail::createCPUGenerator(seed);
  return (at::rand(shape, generator, at::TensorOptions(at::kDouble)) * 2 - 1).to(dtype);
}

void fill(Store& store) {
  const at::NoGradGuard no_grad;
  std::uint64_t number = 0;
  for (const auto& [name, tensor] : store.state_dict()) {
    const std::uint64_t seed = number++;
    if (!tensor.is_floating_point()) continue;
    const bool around_one =
        name.ends_with("running_var") || (tensor.dim() == 1 && name.ends_with("weight"));
    const double scale = tensor.dim() == 1 ? 0.25
                         : tensor.dim() == 3
                             ? 1.0
                             : std::sqrt(3.0 / static_cast<double>(tensor[0].numel()));
    tensor.copy_(noise(tensor.sizes(), seed) * scale + around_one);
  }
}

std::vector<at::Tensor> trunk_forward(Built& trunk, const NamedTensors& inputs,
                                      const std::vector<std::string>& features, bool training) {
  std::vector<vissl_str> names, wanted;
  std::vector<vissl_tensor*> handles;
  for (const auto& [name, tensor] : inputs) {
    names.push_back({name.data(), name.size()});
    handles.push_back(borrow(tensor));
  }
  for (const std::string& feature : features) wanted.push_back({feature.data(), feature.size()});
  vissl_trunk_call request{};
  request.size = sizeof request;
  request.input_names = names.data();
  request.inputs = handles.data();
  request.input_count = inputs.size();
  request.features = wanted.data();
  request.feature_count = wanted.size();
  request.training = training ? 1 : 0;
  std::vector<vissl_tensor*> out(std::max<std::size_t>(features.size(), 1), nullptr);
  vissl::call(trunk.instance().table<vissl_trunk_class>(VISSL_TRUNK_ID).forward,
              trunk.instance().handle(), &request, out.data());
  std::vector<at::Tensor> result;
  for (vissl_tensor* t : out) result.push_back(take(t));
  return result;
}

void check_pass(Built& trunk, const NamedTensors& inputs, const std::vector<std::string>& features,
                bool training, const nlohmann::json& golden, double tolerance) {
  for (Entry* entry : trunk.store().parameters()) entry->tensor.mutable_grad() = at::Tensor();
  NamedTensors leaves = inputs;
  leaves[0].second = inputs[0].second.clone().requires_grad_();
  const std::vector<at::Tensor> found = trunk_forward(trunk, leaves, features, training);
  at::Tensor total;
  for (std::size_t i = 0; i < features.size(); ++i) {
    CAPTURE(features[i]);
    check_summary(golden.at("features").at(features[i]), found[i], tolerance);
    const at::Tensor part = (found[i] * noise(found[i].sizes(), i, found[i].scalar_type())).sum();
    total = total.defined() ? total + part : part;
  }
  total.backward();
  std::size_t compared = 1;
  check_summary(golden.at("gradients").at("image"), leaves[0].second.grad(), tolerance);
  for (const Entry* entry : trunk.store().parameters()) {
    if (!entry->tensor.grad().defined()) continue;
    CAPTURE(entry->name);
    check_summary(golden.at("gradients").at(entry->name), entry->tensor.grad(), tolerance);
    ++compared;
  }
  CHECK(compared == golden.at("gradients").size());
}

void check_case(const std::string& name, const nlohmann::json& golden) {
  ComponentHost host;
  const std::string toml = toml_of(golden.at("options"));
  const auto features = golden.at("names").get<std::vector<std::string>>();
  check_initial(golden.at("initial"), Built(host, "trunk", name, toml, 3).store().state_dict());
  for (const nlohmann::json& pass : golden.at("passes")) {
    const bool training = pass.at("training").get<bool>();
    CAPTURE(training);
    const auto shape = pass.at("image").get<std::vector<std::int64_t>>();
    CAPTURE(shape[2]);
    for (const at::ScalarType dtype : {at::kDouble, at::kFloat}) {
      CAPTURE(std::string(c10::toString(dtype)));
      Built trunk(host, "trunk", name, toml, 3);
      trunk.store().to(dtype, at::kCPU);
      fill(trunk.store());
      check_pass(trunk, {{"image", noise(shape, 9, dtype)}}, features, training, pass,
                 dtype == at::kDouble ? 1e-10 : 1e-5);
    }
  }
}

std::int64_t count_parameters(const std::string& trunk, const std::string& toml) {
  ComponentHost host;
  host.service(VISSL_STORE_ID, &kCountingStore);
  const Instance instance = host.create("trunk", trunk, toml);
  const vissl_run_facts facts = plain_facts();
  Counter counter;
  vissl::call(instance.table<vissl_trunk_class>(VISSL_TRUNK_ID).build, instance.handle(),
              reinterpret_cast<vissl_store*>(&counter), &facts);
  return counter.elements;
}

}  // namespace vissl::host::test
