// Runs on the SDK's fake host: no vissl-host and no libtorch needed.
#include <doctest/doctest.h>

#include <vissl/test.hpp>

TEST_CASE("my_component: it multiplies by its weights and adds the bias") {
  vissl::test::Host host;
  host.load(PLUGIN);
  vissl::test::Head head(host.run, host.component("head", "my_component").create("dims = [2, 3]"));
  head.store.set("clf.weight", {1, 0, 0, 1, 1, 1});
  head.store.set("clf.bias", {0, 0, 0.5});
  const vissl::Tensor x = vissl::Tensor::of<double>({2, 3}, {1, 2});
  CHECK_CLOSE(head({x})[0], {2, 3, 5.5}, 1e-12, 0);
  CHECK(head.in_channels() == 2);
}

TEST_CASE("my_component: a list of another length is refused") {
  vissl::test::Host host;
  host.load(PLUGIN);
  CHECK_THROWS_WITH(host.component("head", "my_component").create("dims = [2]"),
                    "dims takes two numbers: [input, output]");
}
