#pragma once
// The subset of a split that `data_limit = { count, seed, is_balanced, skip_num_samples }` keeps,
// equal to VISSL's.
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace vissl::host {

struct DataLimit {
  std::int64_t count = -1;   // samples to keep; negative = all, 0 = an empty split
  std::uint32_t seed = 0;    // of the legacy numpy generator
  bool is_balanced = false;  // the same number from each class, up to one
  std::int64_t skip_num_samples =
      0;  // of the shuffled order, so that two splits can share one source without overlap
};

// Dataset positions 0 .. count-1 -> positions of the source, or nothing when all samples are kept.
//   length: samples of the source. labels: one class per sample, or empty when the source has none;
//   read only when balanced. split: "data.train", for messages.
// Not balanced: a shuffled order of all samples. Balanced: class by class in ascending order,
// shuffled inside the class; when count does not divide, the first classes give one more. Throws
// Error(Exit::usage) when the source cannot give that many.
std::optional<std::vector<std::int64_t>> limited_indices(const DataLimit& limit,
                                                         std::int64_t length,
                                                         std::span<const std::int64_t> labels,
                                                         std::string_view split);

}  // namespace vissl::host
