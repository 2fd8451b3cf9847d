#pragma once
// Test support: a trunk against what scripts/oracle/trunks_golden.py computed with torch.
#include <string>
#include <utility>
#include <vector>

#include "host/runtime/component_tests/component_host.hpp"

namespace vissl::host::test {

// A table of JSON as the TOML text of a component.
std::string toml_of(const nlohmann::json& options);

// The oracle's `noise`: uniform in [-1, 1], from torch's CPU generator.
at::Tensor noise(at::IntArrayRef shape, std::uint64_t seed, at::ScalarType dtype = at::kDouble);

// Sets every floating-point tensor of the state dict as the oracle's `fill` does.
void fill(Store& store);

// Against the oracle's "count", CRC of the "names" with their shapes, and "crc" of all bytes.
void check_initial(const nlohmann::json& golden, const StateDict& state);

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;
// `inputs` begin with "image".
std::vector<at::Tensor> trunk_forward(Built& trunk, const NamedTensors& inputs,
                                      const std::vector<std::string>& features, bool training);

// Features, and gradients of the oracle's sum over them, against one pass of the golden file. The
// difference of each stays below `tolerance`, relative to its largest element above 1.
void check_pass(Built& trunk, const NamedTensors& inputs, const std::vector<std::string>& features,
                bool training, const nlohmann::json& golden, double tolerance);

// A case of the golden file: names, shapes and initial values bit for bit, then all its passes in
// float64 (1e-10) and float32 (1e-5).
void check_case(const std::string& trunk, const nlohmann::json& golden);

// Parameters of a trunk that is built without memory for them.
std::int64_t count_parameters(const std::string& trunk, const std::string& toml);

}  // namespace vissl::host::test
