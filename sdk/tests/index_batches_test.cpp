#include <vissl/index_batches.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

using vissl::IndexBatches;
using Indices = std::vector<std::int64_t>;

TEST_CASE("index batches: the last batch is shorter, or left out") {
  const IndexBatches kept({5, 6, 7, 8, 9}, 2, false);
  CHECK(kept.count() == 3);
  CHECK(kept.at(0) == Indices{5, 6});
  CHECK(kept.at(2) == Indices{9});
  const IndexBatches dropped({5, 6, 7, 8, 9}, 2, true);
  CHECK(dropped.count() == 2);
  CHECK(dropped.at(1) == Indices{7, 8});
  CHECK(IndexBatches({5}, 2, true).count() == 0);
  CHECK(IndexBatches().count() == 0);
}

TEST_CASE("index batches: a batch past the end is refused by number") {
  const IndexBatches batches({5, 6, 7}, 2, false);
  for (const std::int64_t k : {-1, 2}) {
    try {
      batches.at(k);
      FAIL("batch " << k << " was given");
    } catch (const vissl::Failure& failure) {
      CHECK(std::string(failure.what()) ==
            "batch " + std::to_string(k) + " was asked of a sampler that has 2");
    }
  }
}
