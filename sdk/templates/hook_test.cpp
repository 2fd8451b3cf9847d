// Runs on the SDK's fake host: no vissl-host and no libtorch needed.
#include <doctest/doctest.h>

#include <vissl/test.hpp>

TEST_CASE("my_component: every second step has its norm, and the count is state") {
  vissl::test::Host host;
  host.load(PLUGIN);
  const vissl::test::Component& component = host.component("hook", "my_component");
  const vissl::test::Instance hook = component.create("frequency = 2");
  host.run.params.resize(1);
  host.run.params[0].name = "w";
  host.run.params[0].tensor = vissl::Tensor::of<double>({0, 0}, {2});
  host.run.params[0].grad = vissl::Tensor::of<double>({3, 4}, {2});
  host.run.counters.iteration = 1;
  vissl::test::fire(host.run, hook, vissl::Event::backward);
  CHECK(host.run.extras.count("grad_norm") == 0);
  host.run.counters.iteration = 2;
  vissl::test::fire(host.run, hook, vissl::Event::backward);
  CHECK(host.run.extras.at("grad_norm") == doctest::Approx(5));
  CHECK_CLOSE(host.run.params[0].grad, {3, 4}, 1e-12, 0);  // as it was

  const std::string state = hook.save();
  const vissl::test::Instance resumed = component.create("frequency = 2");
  resumed.load(state);
  CHECK(resumed.save() == state);
  CHECK_THROWS(resumed.load(state.substr(1)));
}
