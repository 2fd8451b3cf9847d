#pragma once
// What most samplers end with: a rank's dataset positions of one phase, cut into batches.
#include <vissl/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

// Batches of `batch_size` positions in order; the last may be shorter, or is left out with
// drop_last.
class IndexBatches {
 public:
  IndexBatches() = default;
  // batch_size >= 1.
  IndexBatches(std::vector<std::int64_t> indices, std::int64_t batch_size, bool drop_last)
      : indices_(std::move(indices)), batch_size_(batch_size) {
    if (drop_last) indices_.resize(indices_.size() / unsigned_size() * unsigned_size());
  }
  std::int64_t count() const {
    return static_cast<std::int64_t>((indices_.size() + unsigned_size() - 1) / unsigned_size());
  }
  // Fails when k is not in [0, count()).
  std::vector<std::int64_t> at(std::int64_t k) const {
    if (k < 0 || k >= count()) {
      fail("batch " + std::to_string(k) + " was asked of a sampler that has " +
           std::to_string(count()));
    }
    const auto begin = indices_.begin() + k * batch_size_;
    return {begin, begin + std::min(batch_size_, indices_.end() - begin)};
  }

 private:
  std::size_t unsigned_size() const { return static_cast<std::size_t>(batch_size_); }
  std::vector<std::int64_t> indices_;
  std::int64_t batch_size_ = 1;
};

}  // namespace abi1
}  // namespace vissl
