#pragma once
// What two runs that should be equal left behind, compared.
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace vissl::test {

// Sentences about every difference between the final checkpoints (weights, optimizer, loss,
// counters, generator), metrics.json, metrics.csv, stdout.json (but for times) and TensorBoard's
// values (but for speeds) of two run folders; empty when there is none.
std::string differences(const std::filesystem::path& a, const std::filesystem::path& b);

// Every float64 tensor of the model and the optimizer in the final checkpoint of a folder, by its
// place there.
std::map<std::string, std::vector<double>> doubles_of(const std::filesystem::path& run);

// The largest difference of any of their numbers, relative to 1 or to the number. Throws
// std::runtime_error for runs that have other tensors, or fewer than fifty.
double largest_difference(const std::filesystem::path& a, const std::filesystem::path& b);

// The newest final checkpoint of a folder.
std::filesystem::path final_checkpoint(const std::filesystem::path& folder);

}  // namespace vissl::test
