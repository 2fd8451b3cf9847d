#pragma once
// What two runs that should be equal left behind, compared bit by bit.
#include <filesystem>
#include <string>

namespace vissl::test {

// Sentences about every difference between the final checkpoints (weights, optimizer, loss,
// counters, generator), metrics.json, metrics.csv, stdout.json (but for times) and TensorBoard's
// values (but for speeds) of two run folders; empty when there is none.
std::string differences(const std::filesystem::path& a, const std::filesystem::path& b);

// The newest final checkpoint of a folder.
std::filesystem::path final_checkpoint(const std::filesystem::path& folder);

}  // namespace vissl::test
