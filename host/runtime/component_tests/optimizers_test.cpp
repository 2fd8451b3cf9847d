// Optimizers against torch.optim and the definitions of LARC and LARS (scripts/oracle/
// optimizers.py): five steps with a new learning rate each, state and groups under torch's names.
#include <doctest/doctest.h>
#include <vissl/optimizer.h>

#include <map>

#include "host/runtime/abi/guard.hpp"
#include "host/runtime/abi/handle.hpp"
#include "host/runtime/component_tests/component_host.hpp"
#include "host/text_sink.hpp"

using namespace vissl::host;
using namespace vissl::host::test;

namespace {

const std::vector<std::vector<std::int64_t>> kShapes = {{4, 3}, {3}, {2, 2, 2}};

// One group of parameters and the services of a step.
class Driver {
 public:
  Driver(ComponentHost& host, const std::string& name, const std::string& toml,
         const std::string& plugin)
      : instance_(host.create("optimizer", name, toml, plugin)),
        table_(instance_.table<vissl_optimizer_class>(VISSL_OPTIMIZER_ID)) {
    for (std::size_t i = 0; i < kShapes.size(); ++i)
      params.push_back(wave(kShapes[i], static_cast<double>(i)));
    for (std::uint64_t i = 0; i < table_.hyper_count(instance_.handle()); ++i)
      hyper_.push_back(table_.hyper_default(instance_.handle(), i));
  }

  void step(double rate, std::vector<at::Tensor> grads) {
    hyper_[0] = rate;
    std::vector<vissl_opt_param> members;
    for (std::size_t i = 0; i < params.size(); ++i) {
      if (!grads[i].defined()) continue;
      vissl_opt_param p{};
      p.size = sizeof p;
      p.param = borrow(params[i]);
      p.grad = borrow(grads[i]);
      p.id = i;
      members.push_back(p);
    }
    const vissl_opt_group groups[2] = {
        {sizeof(vissl_opt_group), {"all", 3}, members.data(), members.size(), hyper_.data()},
        {sizeof(vissl_opt_group), {"none", 4}, nullptr, 0, hyper_.data()}};
    vissl_opt_call request{};
    request.size = sizeof request;
    request.groups = groups;
    request.group_count = 2;
    request.self = this;
    request.state = [](void* self, std::uint64_t id, vissl_str name) -> vissl_tensor* {
      auto& states = static_cast<Driver*>(self)->state[id];
      const auto found = states.find(text(name));
      return found == states.end() ? nullptr : borrow(found->second);
    };
    request.set_state = [](void* self, std::uint64_t id, vissl_str name, vissl_tensor* t,
                           vissl_err*) -> vissl_status {
      static_cast<Driver*>(self)->state[id][text(name)] = unwrap(t);
      return VISSL_OK;
    };
    request.norms = [](void*, vissl_tensor* const* tensors, std::uint64_t count, vissl_tensor** out,
                       vissl_err*) -> vissl_status {
      std::vector<at::Tensor> norms;
      for (std::uint64_t i = 0; i < count; ++i) norms.push_back(unwrap(tensors[i]).norm());
      *out = wrap(at::stack(norms));
      return VISSL_OK;
    };
    const at::NoGradGuard no_grad;
    vissl::call(table_.step, instance_.handle(), &request);
  }

  // What it puts into the groups of a checkpoint beside the hyper-parameters.
  nlohmann::json constants() const {
    if (table_.group_constants == nullptr) return nullptr;
    std::string text;
    const vissl_out out = text_sink(text);
    vissl::call(table_.group_constants, instance_.handle(), &out);
    return nlohmann::json::parse(text);
  }

  std::vector<at::Tensor> params;
  std::map<std::uint64_t, std::map<std::string, at::Tensor>> state;

 private:
  Instance instance_;
  const vissl_optimizer_class& table_;
  std::vector<double> hyper_;
};

at::Tensor gradient(std::size_t step, std::size_t i) {
  return wave(kShapes[i], 10.0 + 3.0 * static_cast<double>(step) + static_cast<double>(i));
}

// Five steps; returns the largest difference to golden over all parameters, steps and states.
double worst(const std::string& golden_name, const std::string& name, const std::string& toml,
             const std::string& plugin = "") {
  ComponentHost host;
  Driver driver(host, name, toml, plugin);
  const nlohmann::json file = golden("optimizers.json");
  const nlohmann::json& expected = file.at("cases").at(golden_name);
  double largest = 0.0;
  for (std::size_t step = 0; step < 5; ++step) {
    std::vector<at::Tensor> grads;
    for (std::size_t i = 0; i < kShapes.size(); ++i)
      grads.push_back(step == 1 && i == 2 ? at::Tensor() : gradient(step, i));
    const std::vector<at::Tensor> before = grads;
    driver.step(file.at("rates").at(step).get<double>(), grads);
    for (std::size_t i = 0; i < kShapes.size(); ++i) {
      largest = std::max(
          largest, distance(driver.params[i], tensor_of(expected.at("steps").at(step).at(i))));
      if (before[i].defined()) CHECK(distance(before[i], gradient(step, i)) == 0.0);
    }
  }
  for (std::size_t i = 0; i < kShapes.size(); ++i) {
    const nlohmann::json& states = expected.at("state").at(i);
    CHECK(driver.state[i].size() == states.size());
    for (const auto& [key, value] : states.items()) {
      CAPTURE(key);
      REQUIRE(driver.state[i].count(key) == 1);
      largest = std::max(largest, distance(driver.state[i][key], tensor_of(value)));
    }
  }
  CHECK(driver.constants() == (expected.contains("group") ? expected.at("group") : nullptr));
  return largest;
}

}  // namespace

TEST_CASE("optimizers: sgd equals torch's bit for bit") {
  CHECK(worst("sgd_plain", "sgd", "momentum = 0.0\nweight_decay = 0.0") == 0.0);
  CHECK(worst("sgd", "sgd", "momentum = 0.9\nweight_decay = 0.01") == 0.0);
  CHECK(worst("sgd_nesterov", "sgd", "momentum = 0.9\nweight_decay = 0.01\nnesterov = true") ==
        0.0);
}

TEST_CASE("optimizers: sgd with layer-wise rates equals apex's LARC") {
  const std::string plain = "momentum = 0.9\nweight_decay = 0.01\n";
  CHECK(worst("sgd_larc", "sgd", plain + "larc = {}") < 1e-7);
  CHECK(worst("sgd_larc_clip", "sgd", plain + "larc = { clip = true, trust_coefficient = 0.02 }") <
        1e-7);
}

TEST_CASE("optimizers: adam and adamw equal torch's bit for bit") {
  CHECK(worst("adam", "adam", "weight_decay = 0.01") == 0.0);
  CHECK(worst("adam_amsgrad", "adam",
              "weight_decay = 0.0\nbetas = [0.8, 0.9]\neps = 1e-6\namsgrad = true") == 0.0);
  CHECK(worst("adamw", "adamw", "weight_decay = 0.1", "adam") == 0.0);
}

TEST_CASE("optimizers: lars equals VISSL's, also with biases and norms left out") {
  CHECK(worst("lars", "lars", "weight_decay = 0.01\nmomentum = 0.9") < 1e-7);
  CHECK(worst("lars_exclude", "lars",
              "weight_decay = 0.01\nmomentum = 0.9\neta = 0.02\nexclude_bias_and_norm = true") <
        1e-7);
}

TEST_CASE("optimizers: a parameter or gradient of norm zero does no harm to layer-wise rates") {
  ComponentHost host;
  for (const auto& [name, toml] : {std::pair<std::string, std::string>("sgd", "larc = {}"),
                                   std::pair<std::string, std::string>("lars", "")}) {
    CAPTURE(name);
    Driver driver(host, name, toml, "");
    driver.params[0].zero_();
    driver.step(0.1, {gradient(0, 0), at::zeros({3}), gradient(0, 2)});
    for (const at::Tensor& p : driver.params) CHECK(at::isfinite(p).all().item<bool>());
    if (name == "sgd") {
      // apex leaves both alone: no rate and no weight decay.
      CHECK(distance(driver.params[0], -0.1 * gradient(0, 0)) < 1e-8);
      CHECK(distance(driver.params[1], wave({3}, 1.0)) == 0.0);
    }
  }
}

TEST_CASE("optimizers: configs that cannot work are refused with the remedy") {
  ComponentHost host;
  CHECK(error_text([&] {
          host.create("optimizer", "sgd", "momentum = 0.0\nnesterov = true");
        }).find("'nesterov' of sgd needs a momentum above 0") != std::string::npos);
  CHECK(error_text([&] {
          host.create("optimizer", "sgd", "larc = { trust = 0.1 }");
        }).find("unknown key 'trust' in larc of sgd; it has clip, eps and trust_coefficient") !=
        std::string::npos);
  CHECK(error_text([&] {
          host.create("optimizer", "adam", "betas = [0.9]");
        }).find("'betas' needs two numbers, e.g. [0.9, 0.999]") != std::string::npos);
}
