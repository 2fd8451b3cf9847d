#pragma once
// VISSL's auto_lr_scaling as numbers (reference: engine 1.4b), for the run and for `show schedule`.
#include <cmath>
#include <cstdint>
#include <limits>

namespace vissl::host {

// What one optimizer step sees.
struct StepBatch {
  std::int64_t samples = 1;       // of all ranks
  std::int64_t node_samples = 1;  // of the ranks of one machine
};

struct LrScale {
  double factor;     // every value becomes base_value * factor, in proportion
  double ramp_from;  // where a composite's linear warm-up starts; NaN = it is dropped
};

// The warm-up starts from the batch of one machine, never square-rooted. On one machine it is
// dropped unless it starts above the scaled value, which only the square root brings about.
inline LrScale lr_scale(double base_value, std::int64_t base_batch, bool square_root,
                        const StepBatch& batch) {
  const double base = static_cast<double>(base_batch);
  const double ratio = static_cast<double>(batch.samples) / base;
  LrScale scale{square_root ? std::sqrt(ratio) : ratio, 0.0};
  scale.ramp_from = base_value * static_cast<double>(batch.node_samples) / base;
  if (batch.node_samples == batch.samples && !(scale.ramp_from > base_value * scale.factor))
    scale.ramp_from = std::numeric_limits<double>::quiet_NaN();
  return scale;
}

}  // namespace vissl::host
