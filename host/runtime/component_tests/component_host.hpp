#pragma once
// Test support: our plugins, loaded as the host loads them, over the real tensor, store and
// collective services. One ComponentHost at a time.
#include <ATen/ATen.h>
#include <vissl/run.h>
#include <vissl/test/host.hpp>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "host/runtime/model/store.hpp"

namespace vissl::host::test {

using vissl::test::Instance;

// The SDK's fake host with the runtime's own tensors, stores and collectives in it. A service can
// be added with `service`, e.g. a fake run.
class ComponentHost : public vissl::test::HostCore {
 public:
  ComponentHost();
  // Creates a component of the plugin file `plugin` from TOML text; throws Failure.
  Instance create(const std::string& kind, const std::string& name, const std::string& toml = "",
                  const std::string& plugin = "");
};

// Facts of a run of one process on images with three channels.
vissl_run_facts plain_facts();

// A head, trunk or loss with its own store.
class Built {
 public:
  // Seeds torch's generator first. `plugin`: the file's name without .so, when it differs.
  Built(ComponentHost& host, const std::string& kind, const std::string& name,
        const std::string& toml, std::uint64_t seed = 0, const std::string& plugin = "");

  std::vector<at::Tensor> head(const at::Tensor& input, bool training);
  // `features`: empty = the last one.
  std::vector<at::Tensor> trunk(const at::Tensor& image, const std::vector<std::string>& features,
                                bool training);
  at::Tensor loss(const std::vector<at::Tensor>& outputs, const at::Tensor& target);

  Store& store() { return store_; }
  const Instance& instance() const { return instance_; }

 private:
  Store store_{0};
  Instance instance_;
};

// What scripts/oracle wrote: tests/golden/components/NAME. It stays, so that parts of it may be
// looped over.
const nlohmann::json& golden(const std::string& name);
// {"shape": …, "data": …} as float64.
at::Tensor tensor_of(const nlohmann::json& numbers);
// The oracles' wave(shape, seed): element i is sin(0.37 (i + 1) + seed), rounded from float64.
at::Tensor wave(const std::vector<std::int64_t>& shape, double seed,
                at::ScalarType dtype = at::kFloat);
// Largest absolute difference, in float64; infinity when shapes differ.
double distance(const at::Tensor& a, const at::Tensor& b);
// The gradient of a scalar function at `at` by central differences in float64.
at::Tensor numeric_gradient(const std::function<at::Tensor(const at::Tensor&)>& f,
                            const at::Tensor& at);
// The text of the Failure that `body` throws, "no error" otherwise.
std::string error_text(const std::function<void()>& body);

}  // namespace vissl::host::test
