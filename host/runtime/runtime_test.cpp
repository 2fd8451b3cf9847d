#include "host/runtime/runtime.hpp"

#include <ATen/Parallel.h>
#include <doctest/doctest.h>

#include <vissl_build.hpp>

#include "host/no_log.hpp"
#include "host/runtime/abi/context.hpp"
#include "host/runtime/abi/tables.hpp"
#include "host/runtime/conformance/tables.hpp"
#include "host/runtime/model/test_components.hpp"

using namespace vissl::host;
using namespace vissl::host::test;

extern "C" Runtime* vissl_runtime_entry(const Services* services, std::string* error);

namespace {

const void* value_service(const vissl_host*, vissl_str id) {
  return view(id) == VISSL_VALUE_ID ? &json_value_api() : nullptr;
}

struct Executable {
  explicit Executable(const std::string& config) : json(Json::parse(config)) {
    services.build_id = VISSL_BUILD_ID;
    services.host = &host;
    services.config = value_of(json);
    services.catalogue = &catalogue;
    services.log = &log;
  }
  ~Executable() {
    context() = before;
    at::set_num_threads(threads);
  }

  Json json;
  vissl_host host{sizeof(vissl_host), VISSL_ABI_MAJOR, VISSL_ABI_MINOR, value_service};
  TestCatalogue catalogue;
  NoLog log;
  Services services{};
  Context before = context();
  int threads = at::get_num_threads();
};

constexpr const char* kConfig = R"({"seed_value": 0, "optimizer": {"num_epochs": 1},
  "machine": {"device": "cpu", "threads": 1, "precision": "fp64"},
  "model": {"trunk": {"name": "convolution", "channels": 4}, "heads": [], "input_type": "lab"}})";

}  // namespace

TEST_CASE("entry: another build's executable is refused with both build ids") {
  Executable executable(kConfig);
  executable.services.build_id = "0123";
  std::string error;
  CHECK(vissl_runtime_entry(&executable.services, &error) == nullptr);
  CHECK(error == std::string("libvissl_runtime.so has the build id ") + VISSL_BUILD_ID +
                     ", but this executable has 0123; install both from one build");
}

TEST_CASE("runtime: services are found by their exact id") {
  Executable executable(kConfig);
  TorchRuntime runtime(executable.services);
  // Without data there is no run: these two watch the components that check-plugin tries.
  CHECK(runtime.get_service("vissl.tensor/1") == &probing_tensor_api());
  CHECK(runtime.get_service("vissl.store/1") == &store_api());
  CHECK(runtime.get_service("vissl.autograd/1") == &autograd_api());
  CHECK(runtime.get_service("vissl.collectives/1") == &collectives_api());
  CHECK(runtime.get_service("vissl.model/1") == &model_api());
  CHECK(runtime.get_service("vissl.run/1") == &probing_run_api());
  CHECK(runtime.get_service("vissl.tensor/1 ") == nullptr);
  CHECK(runtime.get_service("vissl.tensor") == nullptr);
  CHECK(runtime.get_service("") == nullptr);
}

TEST_CASE(
    "runtime: show model builds the model of the config, in the run's precision and input type") {
  Executable executable(kConfig);
  TorchRuntime runtime(executable.services);
  const Json json = Json::parse(runtime.show_model(true));
  CHECK(json["tensors"][0]["shape"] == Json::parse("[4, 1, 1, 1]"));
  CHECK(json["tensors"][0]["dtype"] == "Double");
  Executable broken(
      R"({"machine": {"device": "cpu", "threads": 1}, "model": {"trunk": {"name": "nothing"}}})");
  TorchRuntime other(broken.services);
  CHECK(error_of([&] { other.show_model(false); }) == "there is no trunk 'nothing'");
}
