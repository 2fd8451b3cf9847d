#pragma once
// Gradient clipping by the total norm, torch.nn.utils.clip_grad_norm_. [main]
#include <vector>

#include "host/runtime/model/store.hpp"

namespace vissl::host {

// Scales all gradients by min(1, max_norm / (total + 1e-6)) and returns the total norm before that.
// `norm_type`: 1, 2 or INFINITY.
double clip_gradients(const std::vector<Entry*>& parameters, double max_norm, double norm_type);

}  // namespace vissl::host
