// Runs on the SDK's fake host: no vissl-host and no libtorch needed.
#include <doctest/doctest.h>

#include <vissl/test.hpp>

#include <cmath>

TEST_CASE("my_component: two classes by hand") {
  vissl::test::Host host;
  host.load(PLUGIN);
  vissl::test::Loss loss(host.run,
                         host.component("loss", "my_component").create("temperature = 0.5"));
  const vissl::Tensor output = vissl::Tensor::of<double>({1, 0, 1, 0}, {2, 2});
  const vissl::Tensor target = vissl::Tensor::of<std::int64_t>({0, 1}, {2});
  // The right class leads by 2, then trails by 2.
  const double right = std::log1p(std::exp(-2.0)), wrong = std::log1p(std::exp(2.0));
  CHECK(loss({output}, target).item<double>() == doctest::Approx((right + wrong) / 2));
  CHECK(host.run.loss_values.at("confidence") == doctest::Approx(std::exp(-right)));
}

TEST_CASE("my_component: a temperature of 0 is refused") {
  vissl::test::Host host;
  host.load(PLUGIN);
  CHECK_THROWS(host.component("loss", "my_component").create("temperature = 0.0"));
}
