#pragma once
// Which samples the batches of a phase hold: a sampler's, or each sample once for an evaluation.
#include <cstdint>
#include <memory>
#include <vector>

#include "host/boundary.hpp"
#include "host/data/dataset.hpp"

namespace vissl::host {

struct PlannedBatch {
  std::int64_t number = 0;                 // of the phase
  std::vector<std::int64_t> indices;       // dataset positions
  std::vector<std::uint32_t> occurrences;  // how often the phase had that position before
  std::vector<std::int64_t> before;  // up to batch_size positions that came before, oldest first
};

// Gives the batches of one rank in order, from spec.start_batch on. What came before is replayed,
// so that a batch does not depend on where the phase was entered. [main]
class BatchPlan {
 public:
  BatchPlan(const PhaseSpec& spec, std::uint64_t seed, const Dataset& dataset,
            Catalogue& catalogue);
  ~BatchPlan();

  std::int64_t batch_count() const { return batch_count_; }
  std::int64_t sample_count() const {
    return sample_count_;
  }                              // of all batches; an upper bound of a sampler's
  bool next(PlannedBatch& out);  // false after the last

 private:
  void read_indices(std::int64_t number, std::vector<std::int64_t>& out);
  void advance(PlannedBatch& out);

  PhaseSpec spec_;
  const Dataset& dataset_;
  std::unique_ptr<Instance> sampler_;  // none when each sample comes once
  std::int64_t batch_count_ = 0;
  std::int64_t sample_count_ = 0;
  std::int64_t next_ = 0;
  std::vector<std::uint16_t> seen_;  // per dataset position
  std::vector<std::int64_t> before_;
};

}  // namespace vissl::host
