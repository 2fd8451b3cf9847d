// Runs on the SDK's fake host: no vissl-host and no libtorch needed.
#include <doctest/doctest.h>

#include <vissl/test.hpp>

TEST_CASE("my_component: counts, the sum over ranks, and a new phase") {
  vissl::test::Host host;
  host.load(PLUGIN);
  vissl::test::Meter meter(host.component("meter", "my_component").create());
  meter.update({vissl::Tensor::of<double>({1, 0, 0, 1, 1, 0}, {3, 2})},
               vissl::test::labels({0, 1, 1}));
  CHECK(meter.counters() == std::vector<double>{2, 3});
  meter.set_counters({3, 4});  // as the host does with the sums of two ranks
  CHECK(meter.value() == R"({"percent": 75})");
  meter.reset();
  CHECK(meter.counters() == std::vector<double>{0, 0});
}
