// Runs on the SDK's fake host: no vissl-host and no libtorch needed.
#include <doctest/doctest.h>

#include <vissl/test.hpp>

TEST_CASE("my_component: always, never, and the same for the same seed") {
  vissl::test::Host host;
  host.load(PLUGIN);
  const vissl::test::Component& component = host.component("transform", "my_component");
  const auto calls = [&](const char* config, std::uint64_t seed) {
    vissl::test::FakeImage image = vissl::test::FakeImage::pattern(4, 6);
    vissl::test::Transform(component.create(config))(image, seed);
    return image.calls;
  };
  CHECK(calls("p = 1.0\nfactor = 0.25", 1) == std::vector<std::string>{"brightness 0.25"});
  CHECK(calls("p = 0.0", 1).empty());
  std::size_t changed = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    CHECK(calls("", seed) == calls("", seed));
    changed += calls("", seed).size();
  }
  CHECK(changed > 30);
  CHECK(changed < 70);
}
