#pragma once
// Whether all ranks load one and the same file. Nodes that share no disk may each have another one
// under the same path, and would then train different models. All ranks together. [main]
#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "host/weights/weights_plan.hpp"

namespace vissl::host {

// Both throw Error(bad_data), the same on all ranks, which names the first rank that differs from
// rank 0, and do nothing with one rank.

// Formats, names, shapes and element types.
void check_same_layout(const WeightsPlan& plan);

// A checksum of the values behind each row of the plan: of what was copied to `tensors`, which has
// one for each row, and of what the profile adapts in the file itself, since arithmetic may differ
// between machines. Reads all of them; no exchange.
std::vector<std::uint32_t> checksums(const WeightsPlan& plan,
                                     const std::vector<at::Tensor>& tensors);

// Names the first tensor of the file whose checksum differs.
void check_same_values(const WeightsPlan& plan, const std::vector<std::uint32_t>& own);

}  // namespace vissl::host
