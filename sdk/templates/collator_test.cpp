// Runs on the SDK's fake host: no vissl-host and no libtorch needed.
#include <doctest/doctest.h>

#include <vissl/test.hpp>

TEST_CASE("my_component: each sample fills its own rows") {
  vissl::test::Host host;
  host.load(PLUGIN);
  std::vector<vissl::test::FakeSample> samples(2);
  for (std::size_t i = 0; i < 2; ++i) {
    samples[i].index = static_cast<std::int64_t>(10 + i);
    samples[i].add("label", static_cast<std::int64_t>(i) + 5);
    vissl::test::FakeImage& image =
        samples[i].add("data", vissl::test::FakeImage::pattern(1, 2, 1));
    image.is_float = true;
    image.pixels[0] = static_cast<float>(i) + 0.5f;
  }
  const vissl::test::Instance collator = host.component("collator", "my_component").create();
  const auto batch = vissl::test::collate(collator, samples);
  CHECK(batch->shape("data") == std::vector<std::int64_t>{2, 1, 1, 2});
  CHECK(batch->values("data") == std::vector<double>{0.5, 1, 1.5, 1});
  CHECK(batch->values("label") == std::vector<double>{5, 6});
  CHECK(batch->values("data_idx") == std::vector<double>{10, 11});
}
