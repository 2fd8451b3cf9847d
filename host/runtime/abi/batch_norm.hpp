#pragma once
// Batch norm as torch's BatchNorm modules compute it. Statistics are left alone inside a
// recomputation.
#include <ATen/core/Tensor.h>

#include "host/runtime/dist/collectives.hpp"

namespace vissl::host {

struct BatchNormState {
  at::Tensor weight, bias, running_mean, running_var, num_batches_tracked;  // each may be undefined
};

// x: (N, C, …), N times the spatial size at least 2 in training. Training without running
// statistics normalises by the batch; evaluation without them does too, as torch's. `momentum` is
// the weight of the new statistics. In training the ranks of forward_mode().sync_group share them.
at::Tensor batch_norm(const at::Tensor& x, BatchNormState& state, bool training, double momentum,
                      double eps);

// The same in training with the statistics of all values of `ranks` together: one sum over the
// ranks in the forward pass, one in the backward pass. Gradients of weight and bias are this rank's
// share.
at::Tensor sync_batch_norm(Collectives& ranks, const at::Tensor& x, BatchNormState& state,
                           double momentum, double eps);

}  // namespace vissl::host
