// Runs on the SDK's fake host: no vissl-host and no libtorch needed.
#include <doctest/doctest.h>

#include <vissl/test.hpp>

#include <algorithm>

TEST_CASE("my_component: the ranks share each position once per epoch") {
  vissl::test::Host host;
  host.load(PLUGIN);
  const vissl::test::Instance sampler = host.component("sampler", "my_component").create();
  std::vector<std::int64_t> all;
  for (const std::int64_t rank : {0, 1}) {
    vissl_sampler_open args = {};
    args.length = 8;
    args.batch_size = 2;
    args.epoch = 3;
    args.rank = rank;
    args.world = 2;
    const auto batches = vissl::test::batches_of(sampler, args);
    CHECK(batches.size() == 2);
    for (const auto& batch : batches) all.insert(all.end(), batch.begin(), batch.end());
  }
  CHECK(all[0] == 3);  // rotated by the epoch
  std::sort(all.begin(), all.end());
  CHECK(all == std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7});
}
