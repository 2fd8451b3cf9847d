#include "host/runtime/component_tests/component_host.hpp"

#include <doctest/doctest.h>
#include <vissl/head.h>
#include <vissl/loss.h>
#include <vissl/trunk.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <map>

#include "host/runtime/abi/handle.hpp"
#include "host/runtime/abi/tables.hpp"

namespace vissl::host::test {

ComponentHost::ComponentHost() {
  service(VISSL_TENSOR_ID, &tensor_api());
  service(VISSL_STORE_ID, &store_api());
  service(VISSL_AUTOGRAD_ID, &autograd_api());
  service(VISSL_COLLECTIVES_ID, &collectives_api());
  // A run outside training, of which components may ask the counters.
  static const vissl_run_api run = [] {
    vissl_run_api api{};
    api.size = sizeof api;
    api.counters = [](vissl_run*, vissl_counters* out) {
      *out = {};
      out->size = sizeof *out;
    };
    return api;
  }();
  service(VISSL_RUN_ID, &run);
}

Instance ComponentHost::create(const std::string& kind, const std::string& name,
                               const std::string& toml, const std::string& plugin) {
  if (find(kind, name) == nullptr)
    load(VISSL_PLUGIN_DIR "/" + (plugin.empty() ? name : plugin) + ".so");
  return component(kind, name).create(toml);
}

vissl_run_facts plain_facts() {
  vissl_run_facts facts{};
  facts.size = sizeof facts;
  facts.world = 1;
  facts.batch_size = 2;
  facts.epochs = 1;
  facts.input_channels = 3;
  return facts;
}

Built::Built(ComponentHost& host, const std::string& kind, const std::string& name,
             const std::string& toml, std::uint64_t seed, const std::string& plugin)
    : instance_(host.create(kind, name, toml, plugin)) {
  at::manual_seed(seed);
  const vissl_run_facts facts = plain_facts();
  const auto build = kind == "trunk"  ? instance_.table<vissl_trunk_class>(VISSL_TRUNK_ID).build
                     : kind == "head" ? instance_.table<vissl_head_class>(VISSL_HEAD_ID).build
                                      : instance_.table<vissl_loss_class>(VISSL_LOSS_ID).build;
  vissl::call(build, instance_.handle(), store_.scope(), &facts);
  store_.close();
}

std::vector<at::Tensor> Built::head(const at::Tensor& input, bool training) {
  std::vector<at::Tensor> outputs;
  const vissl_tensor_sink into{
      sizeof(vissl_tensor_sink), &outputs, [](void* self, vissl_tensor* owned) {
        static_cast<std::vector<at::Tensor>*>(self)->push_back(take(owned));
      }};
  vissl_tensor* handle = borrow(input);
  vissl::call(instance_.table<vissl_head_class>(VISSL_HEAD_ID).forward, instance_.handle(), &handle,
              std::uint64_t{1}, std::uint32_t{training}, &into);
  return outputs;
}

std::vector<at::Tensor> Built::trunk(const at::Tensor& image,
                                     const std::vector<std::string>& features, bool training) {
  std::vector<vissl_str> names;
  for (const std::string& feature : features) names.push_back({feature.data(), feature.size()});
  const vissl_str image_name{"image", 5};
  vissl_tensor* handle = borrow(image);
  vissl_trunk_call request{};
  request.size = sizeof request;
  request.input_names = &image_name;
  request.inputs = &handle;
  request.input_count = 1;
  request.features = names.data();
  request.feature_count = names.size();
  request.training = training ? 1 : 0;
  std::vector<vissl_tensor*> out(std::max<std::size_t>(names.size(), 1), nullptr);
  vissl::call(instance_.table<vissl_trunk_class>(VISSL_TRUNK_ID).forward, instance_.handle(),
              &request, out.data());
  std::vector<at::Tensor> result;
  for (vissl_tensor* t : out) result.push_back(take(t));
  return result;
}

at::Tensor Built::loss(const std::vector<at::Tensor>& outputs, const at::Tensor& target) {
  const std::vector<vissl_tensor*> handles = borrow_all(outputs);
  vissl_tensor* out = nullptr;
  vissl_run* const no_run = nullptr;
  vissl::call(instance_.table<vissl_loss_class>(VISSL_LOSS_ID).forward, instance_.handle(), no_run,
              handles.data(), std::uint64_t{handles.size()}, borrow(target), &out);
  return take(out);
}

const nlohmann::json& golden(const std::string& name) {
  static std::map<std::string, nlohmann::json> read;
  const auto found = read.find(name);
  if (found != read.end()) return found->second;
  const std::string path = std::string(VISSL_SOURCE_DIR) + "/tests/golden/components/" + name;
  std::ifstream file(path);
  REQUIRE_MESSAGE(file.good(), path);
  return read[name] = nlohmann::json::parse(file);
}

at::Tensor tensor_of(const nlohmann::json& numbers) {
  const auto data = numbers.at("data").get<std::vector<double>>();
  const auto shape = numbers.at("shape").get<std::vector<std::int64_t>>();
  return at::tensor(data, at::kDouble).reshape(shape);
}

at::Tensor wave(const std::vector<std::int64_t>& shape, double seed, at::ScalarType dtype) {
  at::Tensor out = at::empty(shape, at::kDouble);
  double* data = out.data_ptr<double>();
  for (std::int64_t i = 0; i < out.numel(); ++i)
    data[i] = std::sin(0.37 * static_cast<double>(i + 1) + seed);
  return out.to(dtype);
}

double distance(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes()) return std::numeric_limits<double>::infinity();
  if (a.numel() == 0) return 0.0;
  return (a.detach().to(at::kDouble) - b.detach().to(at::kDouble)).abs().max().item<double>();
}

at::Tensor numeric_gradient(const std::function<at::Tensor(const at::Tensor&)>& f,
                            const at::Tensor& at) {
  constexpr double kStep = 1e-6;
  const at::Tensor base = at.detach().to(at::kDouble).contiguous();
  at::Tensor gradient = at::empty_like(base);
  for (std::int64_t i = 0; i < base.numel(); ++i) {
    at::Tensor up = base.clone(), down = base.clone();
    up.view({-1})[i] += kStep;
    down.view({-1})[i] -= kStep;
    gradient.view({-1})[i] = (f(up).item<double>() - f(down).item<double>()) / (2 * kStep);
  }
  return gradient;
}

std::string error_text(const std::function<void()>& body) {
  try {
    body();
  } catch (const vissl::Failure& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace vissl::host::test

using namespace vissl::host::test;

TEST_CASE("component tests: waves and numeric gradients are what the oracles mean by them") {
  const at::Tensor x = wave({2, 2}, 1.0, at::kDouble);
  CHECK(x[1][0].item<double>() == doctest::Approx(std::sin(0.37 * 3 + 1.0)));
  const at::Tensor g = numeric_gradient([](const at::Tensor& t) { return (t * t).sum(); }, x);
  CHECK(distance(g, 2 * x) < 1e-8);
}
