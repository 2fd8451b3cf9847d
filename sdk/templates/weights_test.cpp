// Runs on the SDK's fake host: no vissl-host and no libtorch needed.
#include <doctest/doctest.h>

#include <vissl/test.hpp>

TEST_CASE("my_component: the trunk is loaded, heads stay, the rest is named") {
  vissl::test::Host host;
  host.load(PLUGIN);
  const vissl::test::Instance profile =
      host.component("weights", "my_component").create("params_file = \"x.torch\"");
  CHECK(vissl::test::plan_weights(profile, {{"conv1.weight", {8, 3}}, {"fc.weight", {2}}},
                                  {{"trunk.conv1.weight", {8, 3}}, {"heads.0.weight", {2}}}) ==
        std::vector<std::string>{"load conv1.weight -> trunk.conv1.weight",
                                 "ignore fc.weight (the model has no 'trunk.fc.weight')",
                                 "skip heads.0.weight (is trained anew)"});
}
