// Runs on the SDK's fake host: no vissl-host and no libtorch needed.
#include <doctest/doctest.h>

#include <vissl/test.hpp>
#include <vissl/test/weights_files.hpp>

TEST_CASE("my_component: a matrix with its name, or an error that says where the file ends") {
  vissl::test::Host host;
  host.load(PLUGIN);
  const vissl::test::Instance format = host.component("weights_format", "my_component").create();
  const std::string file = vissl::test::sample_of(format);
  CHECK(vissl::test::recognises_weights(format, file));
  CHECK_FALSE(vissl::test::recognises_weights(format, "something else"));
  CHECK_FALSE(vissl::test::recognises_weights(format, ""));

  const vissl::test::ReadWeights read = vissl::test::read_weights(format, file);
  REQUIRE(read.names == std::vector<std::string>{"weight"});
  const vissl::test::ReadTensor& weight = read.tensors.at("weight");
  CHECK(weight.shape == std::vector<std::int64_t>{2, 3});
  CHECK(weight.bytes == file.substr(file.size() - 6 * sizeof(float)));

  CHECK_THROWS_WITH(vissl::test::read_weights(format, file.substr(0, 20)),
                    "ends after 20 bytes, before what stands at 19; use another copy");
  CHECK_THROWS_WITH(vissl::test::read_weights(format, file.substr(0, file.size() - 1)),
                    "the tensor 'weight' does not lie in the file");
}
