#pragma once
// VISSL's counters of a run and the list of its phases.
#include <cstdint>
#include <vector>

namespace vissl::host {

struct Counters {
  std::int64_t phase_idx = -1;
  std::int64_t train_phase_idx = -1;
  std::int64_t iteration = 0;         // completed train steps
  std::int64_t local_iteration = -1;  // +1 at each phase start and after each step of any phase
  std::int64_t num_updates = 0;       // samples that went through the optimizer, all ranks
  std::int64_t max_iteration = 0;     // train steps of the whole run
  std::int64_t global_batch = 1;      // samples of a full step, all ranks
  std::int64_t phase_batch = 0;       // completed steps of the current phase
  bool training = false;

  // Progress in [0, 1): the fraction of all train steps that is done.
  double where() const {
    if (max_iteration == 0) return 0.0;
    return static_cast<double>(num_updates) / static_cast<double>(global_batch) /
           static_cast<double>(max_iteration);
  }
};

// One batch of a step. A train step may take several (optimizer.accumulate_batches), of which the
// last one of a phase takes what is left.
struct StepPart {
  std::int64_t number = 0, count = 1;
  bool first() const { return number == 0; }
  bool last() const { return number + 1 == count; }
};

// The order of phases: each train phase, followed by a test phase every `test_every` epochs and
// after the last one. true = train. Without training there are `epochs` test phases.
inline std::vector<bool> phase_list(std::int64_t epochs, std::int64_t test_every, bool train,
                                    bool test) {
  std::vector<bool> phases;
  for (std::int64_t i = 0; i < epochs; ++i) {
    if (train) phases.push_back(true);
    if (test && (!train || i % test_every == 0 || i + 1 == epochs)) phases.push_back(false);
  }
  return phases;
}

}  // namespace vissl::host
