#pragma once
// Batch norm as torch's BatchNorm modules compute it. Statistics are left alone inside a
// recomputation.
#include <ATen/core/Tensor.h>

namespace vissl::host {

struct BatchNormState {
  at::Tensor weight, bias, running_mean, running_var, num_batches_tracked;  // each may be undefined
};

// x: (N, C, …), N times the spatial size at least 2 in training. Training without running
// statistics normalises by the batch; evaluation without them does too, as torch's. `momentum` is
// the weight of the new statistics.
at::Tensor batch_norm(const at::Tensor& x, BatchNormState& state, bool training, double momentum,
                      double eps);

}  // namespace vissl::host
