#include "host/data/limit.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <utility>

#include <vissl/rng.hpp>

#include "host/files/error.hpp"

namespace vissl::host {
namespace {

[[noreturn]] void fail(std::string_view split, const std::string& text) {
  throw Error(Exit::usage, std::string(split) + ".data_limit: " + text);
}

std::int64_t checked_total(const DataLimit& limit, std::int64_t length, std::string_view split) {
  if (limit.skip_num_samples < 0) {
    fail(split,
         "skip_num_samples is " + std::to_string(limit.skip_num_samples) + "; give 0 or more");
  }
  if (limit.count > length || limit.skip_num_samples > length - limit.count) {
    fail(split, "count " + std::to_string(limit.count) + " and skip_num_samples " +
                    std::to_string(limit.skip_num_samples) + " need more than the " +
                    std::to_string(length) + " samples of the data source; lower one of them");
  }
  return limit.skip_num_samples + limit.count;
}

std::vector<std::int64_t> uniform_subset(const DataLimit& limit, std::int64_t length,
                                         std::int64_t total) {
  std::vector<std::int64_t> order = NumpyGenerator(limit.seed).permutation(length);
  return {order.begin() + limit.skip_num_samples, order.begin() + total};
}

std::vector<std::int64_t> balanced_subset(const DataLimit& limit,
                                          std::span<const std::int64_t> labels,
                                          std::string_view split) {
  std::map<std::int64_t, std::vector<std::int64_t>>
      members;  // ascending classes; positions in the order of the source
  for (std::size_t i = 0; i < labels.size(); ++i)
    members[labels[i]].push_back(static_cast<std::int64_t>(i));
  const auto classes = static_cast<std::int64_t>(members.size());
  if (classes == 0 || limit.count < classes) {
    fail(split, "is_balanced with count " + std::to_string(limit.count) +
                    " leaves classes empty, the source has " + std::to_string(classes) +
                    "; give a count of at least one per class");
  }
  NumpyGenerator generator(limit.seed);
  std::vector<std::int64_t> subset;
  subset.reserve(static_cast<std::size_t>(limit.count));
  std::int64_t number = 0;  // of the class, from 0
  for (const auto& [label, positions] : members) {
    const std::int64_t skipped =
        limit.skip_num_samples / classes + (number < limit.skip_num_samples % classes ? 1 : 0);
    const std::int64_t kept = limit.count / classes + (number < limit.count % classes ? 1 : 0);
    const auto available = static_cast<std::int64_t>(positions.size());
    if (skipped + kept > available) {
      fail(split, "is_balanced needs " + std::to_string(skipped + kept) + " samples of class " +
                      std::to_string(label) + ", which has " + std::to_string(available) +
                      "; lower count or skip_num_samples");
    }
    const std::vector<std::int64_t> order = generator.permutation(available);
    for (std::int64_t i = skipped; i < skipped + kept; ++i) {
      subset.push_back(positions[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])]);
    }
    ++number;
  }
  return subset;
}

}  // namespace

std::optional<std::vector<std::int64_t>> limited_indices(const DataLimit& limit,
                                                         std::int64_t length,
                                                         std::span<const std::int64_t> labels,
                                                         std::string_view split) {
  if (limit.count < 0) return std::nullopt;
  const std::int64_t total = checked_total(limit, length, split);
  if (!limit.is_balanced) return uniform_subset(limit, length, total);
  if (std::cmp_not_equal(labels.size(), length)) {
    fail(split,
         "is_balanced needs one class label per sample, and this data source gives none; set "
         "is_balanced = false or add label_sources");
  }
  return balanced_subset(limit, labels, split);
}

}  // namespace vissl::host
