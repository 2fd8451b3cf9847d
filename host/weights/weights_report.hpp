#pragma once
// What a plan of weights did, for people and for programs.
#include <cstdint>
#include <string>
#include <vector>

#include "host/weights/weights_plan.hpp"

namespace vissl::host {

std::string percent(double part);  // 0.9876 -> "98.76 %"

// "a, b and 3 more"
std::string first_names(const std::vector<std::string>& names, std::size_t most);

// The first `most` missing tensors and how many more.
std::string missing_names(const WeightsPlan& plan, std::size_t most);

// How far it has come; reports say no more than that.
enum class LoadStage { planned, refused, loaded };

// One line: "loaded 318 of 320 tensors (100 % of the trunk) from FILE (torch_zip); …", with "would
// load" before that is done. `with_missing`: with the names of what stays as initialised.
std::string summary_line(const WeightsPlan& plan, LoadStage stage = LoadStage::loaded,
                         bool with_missing = true);

// Below that line: grouped by fate and by the first three parts of the names, with counts.
std::string text_report(const WeightsPlan& plan, LoadStage stage = LoadStage::loaded);

// {"file", "format", "coverage", "counts": {fate: n}, "targets": [{"name", "shape", "dtype",
// "status", "from": […], "what", "nearest": […]}], "unused": [{"name", "shape", "reason"}],
// "messages": […]}. Missing targets list up to three names of unused tensors that come nearest.
std::string json_report(const WeightsPlan& plan);

}  // namespace vissl::host
