// Runs on the SDK's fake host: no vissl-host and no libtorch needed.
#include <doctest/doctest.h>

#include <vissl/test.hpp>

TEST_CASE("my_component: the mean over all rows of the split") {
  vissl::test::Host host;
  host.load(PLUGIN);
  vissl::test::FakeSplit& split = host.run.splits["probe"];
  split.length = 2;
  split.features["res5"] = vissl::Tensor::of<double>({3, 4, 0, 7}, {2, 2});
  split.labels = {0, 0};
  const vissl::test::Component& component = host.component("engine", "my_component");
  vissl::test::run_engine(host.run, component.create("split = \"probe\"\nfeature = \"res5\""));
  CHECK(host.run.summary.at("mean_length") == doctest::Approx(6));
  CHECK_THROWS(vissl::test::run_engine(
      host.run, component.create("split = \"probe\"\nfeature = \"no_such\"")));
}
