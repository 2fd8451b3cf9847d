// Runs on the SDK's fake host: no vissl-host and no libtorch needed.
#include <doctest/doctest.h>

#include <vissl/test.hpp>

TEST_CASE("my_component: biases and norms are not decayed, frozen parameters are in no group") {
  vissl::test::Host host;
  host.load(PLUGIN);
  std::vector<vissl::test::RunParam> params(4);
  const char* names[] = {"w", "b", "norm", "frozen"};
  for (std::size_t i = 0; i < params.size(); ++i) {
    params[i].name = names[i];
    params[i].tensor = vissl::Tensor::of<double>({1}, {1});
  }
  params[1].role = VISSL_ROLE_BIAS;
  params[2].module = VISSL_MODULE_BATCH_NORM;
  params[3].trainable = false;
  const vissl::test::Instance groups = host.component("param_groups", "my_component").create();
  CHECK(vissl::test::assign_groups(groups, params, host.keep(vissl::test::parse_toml(""))) ==
        std::vector<std::string>{"decayed:; w", "plain: weight_decay = 0; b norm"});
}
