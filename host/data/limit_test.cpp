#include "host/data/limit.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "host/files/error.hpp"

namespace {

#include "../../tests/golden/samplers.inc"

using vissl::host::DataLimit;
using vissl::host::limited_indices;
using Indices = std::vector<std::int64_t>;

template <std::size_t N>
Indices golden(const std::int64_t (&values)[N]) {
  return {std::begin(values), std::end(values)};
}

std::string message(const DataLimit& limit, std::int64_t length, const Indices& labels) {
  try {
    limited_indices(limit, length, labels, "data.train");
  } catch (const vissl::host::Error& error) {
    CHECK(error.code() == vissl::host::Exit::usage);
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("data_limit: a negative count keeps all samples") {
  CHECK_FALSE(limited_indices({}, 50, {}, "data.train").has_value());
}

TEST_CASE("data_limit: count 0 is an empty split, the full count a permutation") {
  CHECK(limited_indices({.count = 0}, 50, {}, "data.train")->empty());
  Indices all = *limited_indices({.count = 50}, 50, {}, "data.train");
  std::sort(all.begin(), all.end());
  CHECK(all.size() == 50);
  CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
  CHECK(all.front() == 0);
  CHECK(all.back() == 49);
}

TEST_CASE("data_limit: the random subset equals VISSL's, with and without skipping") {
  CHECK(*limited_indices({.count = 12}, 50, {}, "data.train") == golden(kLimitRandom));
  CHECK(*limited_indices({.count = 12, .seed = 42, .skip_num_samples = 7}, 50, {}, "data.train") ==
        golden(kLimitRandomSkip));
}

TEST_CASE("data_limit: the balanced subset equals VISSL's, with and without skipping") {
  const Indices labels = golden(kLimitLabels);
  CHECK(*limited_indices({.count = 13, .is_balanced = true}, 60, labels, "data.train") ==
        golden(kLimitBalanced));
  CHECK(*limited_indices({.count = 11, .seed = 3, .is_balanced = true, .skip_num_samples = 7}, 60,
                         labels, "data.train") == golden(kLimitBalancedSkip));
}

TEST_CASE("data_limit: a balanced subset holds each class alike up to one") {
  const Indices labels = golden(kLimitLabels);
  std::map<std::int64_t, int> counts;
  const Indices subset =
      *limited_indices({.count = 13, .is_balanced = true}, 60, labels, "data.train");
  for (const std::int64_t i : subset) {
    ++counts[labels[static_cast<std::size_t>(i)]];
  }
  CHECK(counts == std::map<std::int64_t, int>{{0, 3}, {10, 3}, {20, 3}, {30, 2}, {40, 2}});
}

TEST_CASE("data_limit: skipping gives subsets that do not overlap") {
  Indices both = *limited_indices({.count = 20, .seed = 5}, 50, {}, "data.train");
  const Indices rest =
      *limited_indices({.count = 30, .seed = 5, .skip_num_samples = 20}, 50, {}, "data.test");
  both.insert(both.end(), rest.begin(), rest.end());
  std::sort(both.begin(), both.end());
  CHECK(both.size() == 50);
  CHECK(std::adjacent_find(both.begin(), both.end()) == both.end());
}

TEST_CASE("data_limit: what the source cannot give is one sentence") {
  CHECK(message({.count = 51}, 50, {}) ==
        "data.train.data_limit: count 51 and skip_num_samples 0 need more than the 50 samples of "
        "the data source; lower one of them");
  CHECK(message({.count = 40, .skip_num_samples = 11}, 50, {}) ==
        "data.train.data_limit: count 40 and skip_num_samples 11 need more than the 50 samples of "
        "the data source; lower one of them");
  CHECK(message({.count = 4, .skip_num_samples = -1}, 50, {}) ==
        "data.train.data_limit: skip_num_samples is -1; give 0 or more");
  CHECK(message({.count = 2, .is_balanced = true}, 50, {}) ==
        "data.train.data_limit: is_balanced needs one class label per sample, and this data source "
        "gives none; set is_balanced = false or add label_sources");
  CHECK(message({.count = 1, .is_balanced = true}, 4, {0, 1, 0, 1}) ==
        "data.train.data_limit: is_balanced with count 1 leaves classes empty, the source has 2; "
        "give a count of at least one per class");
  CHECK(message({.count = 4, .is_balanced = true}, 5, {0, 0, 7, 0, 0}) ==
        "data.train.data_limit: is_balanced needs 2 samples of class 7, which has 1; lower count "
        "or skip_num_samples");
}
