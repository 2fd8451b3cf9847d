#include <doctest/doctest.h>

#include <vissl/test.hpp>

using vissl::test::Host;
using vissl::test::Schedule;

TEST_CASE("triangular: two cycles between low and high") {
  Host host;
  host.load(PLUGIN);
  const Schedule lr(
      host.component("lr_schedule", "triangular").create("low = 1.0\nhigh = 3.0\ncycles = 2"));
  CHECK(lr.value(0.0) == doctest::Approx(1.0));
  CHECK(lr.value(0.125) == doctest::Approx(2.0));
  CHECK(lr.value(0.25) == doctest::Approx(3.0));
  CHECK(lr.value(0.5) == doctest::Approx(1.0));
  CHECK(lr.value(0.75) == doctest::Approx(3.0));
}
