// Runs on the SDK's fake host: no vissl-host and no libtorch needed.
#include <doctest/doctest.h>

#include <vissl/test.hpp>

TEST_CASE("my_component: length, labels and pixels") {
  vissl::test::Host host;
  host.load(PLUGIN);
  const vissl::test::Source source(
      host.component("data_source", "my_component").create("length = 5\nsize = 4\nnum_labels = 3"));
  CHECK(source.length() == 5);
  CHECK(source.label(4) == std::vector<std::int64_t>{1});
  CHECK(source.class_count() == 3);
  const vissl::test::FakeImage image = source.read(4);
  CHECK(image.width == 4);
  CHECK(image.pixels == std::vector<float>(4 * 4 * 3, 4.0f));
}

TEST_CASE("my_component: a length of 0 is refused") {
  vissl::test::Host host;
  host.load(PLUGIN);
  CHECK_THROWS(host.component("data_source", "my_component").create("length = 0"));
}
