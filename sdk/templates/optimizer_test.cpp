// Runs on the SDK's fake host: no vissl-host and no libtorch needed.
#include <doctest/doctest.h>

#include <vissl/test.hpp>

TEST_CASE("my_component: two steps by hand") {
  vissl::test::Host host;
  host.load(PLUGIN);
  vissl::test::Optimizer optimizer(host.component("optimizer", "my_component").create());
  vissl::test::RunParam w;
  w.name = "w";
  w.tensor = vissl::Tensor::of<double>({1, 2}, {2});
  w.grad = vissl::Tensor::of<double>({3, 4}, {2});
  const std::vector<vissl::test::Optimizer::Group> groups = {{{w}, {0.1, 0.5}}};  // lr, momentum
  optimizer.step(groups);
  CHECK_CLOSE(w.tensor, {0.7, 1.6}, 1e-12, 0);
  optimizer.step(groups);
  CHECK_CLOSE(w.tensor, {0.25, 1.0}, 1e-12, 0);
  CHECK_CLOSE(optimizer.state("w", "momentum_buffer"), {4.5, 6}, 1e-12, 0);
}
