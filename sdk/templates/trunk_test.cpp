// Runs on the SDK's fake host: no vissl-host and no libtorch needed.
#include <doctest/doctest.h>

#include <vissl/test.hpp>

TEST_CASE("my_component: the features have the promised shapes, in request order") {
  vissl::test::Host host;
  host.load(PLUGIN);
  host.run.facts.input_channels = 3;
  const vissl::test::Trunk trunk(host.run,
                                 host.component("trunk", "my_component").create("width = 5"));
  CHECK(trunk.features() == std::vector<std::string>{"stem", "pooled"});
  const vissl::Tensor image =
      vissl::Tensor::of(std::vector<double>(2 * 3 * 4 * 6, 0.5), {2, 3, 4, 6});
  const std::vector<vissl::Tensor> out = trunk(image, {"pooled", "stem"});
  CHECK(out[0].sizes() == std::vector<std::int64_t>{2, 5});
  CHECK(out[1].sizes() == std::vector<std::int64_t>{2, 5, 4, 6});
  CHECK(trunk.channels("pooled") == 5);
  CHECK(trunk.store.entries().size() == 7);  // what the checkpoint holds
  CHECK_THROWS(trunk(image, {"no_such_feature"}));
}
