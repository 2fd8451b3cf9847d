#pragma once
// Carries out a plan of weights. [main]
#include <ATen/core/Tensor.h>

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "host/boundary.hpp"
#include "host/weights/weights_plan.hpp"

namespace vissl::host {

// What the profile makes of the file's tensors, by the row of the plan.
using Adapted = std::unordered_map<std::size_t, at::Tensor>;

// Before anything is copied. Throws Error(bad_plugin) for a profile that makes nothing or another
// shape, else with the profile's own text.
Adapted adapt_weights(const WeightsPlan& plan, const Instance& profile);

// Writes what the file has into `model`, which holds a tensor for each row of the plan. Reads the
// file while it copies: Error(bad_data) when that fails.
void copy_weights(const WeightsPlan& plan, const Adapted& adapted,
                  const std::vector<at::Tensor>& model);

// The names of the file's tensors that are in the model now and whose bytes have another checksum
// than the file says. Of what was copied byte by byte the copies are looked at.
std::vector<std::string> damaged_weights(const WeightsPlan& plan,
                                         const std::vector<at::Tensor>& model);

}  // namespace vissl::host
