// Runs on the SDK's fake host: no vissl-host and no libtorch needed.
#include <doctest/doctest.h>

#include <vissl/test.hpp>

TEST_CASE("my_component: a straight line") {
  vissl::test::Host host;
  host.load(PLUGIN);
  const vissl::test::Schedule schedule(
      host.component("lr_schedule", "my_component").create("start = 0.4\nend = 0.2"));
  CHECK(schedule.value(0.0) == doctest::Approx(0.4));
  CHECK(schedule.value(0.5) == doctest::Approx(0.3));
  CHECK(schedule.value(1.0) == doctest::Approx(0.2));
}

TEST_CASE("my_component: the start is required") {
  vissl::test::Host host;
  host.load(PLUGIN);
  CHECK_THROWS(host.component("lr_schedule", "my_component").create("end = 0.2"));
}
