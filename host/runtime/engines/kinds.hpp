#pragma once
// The engines of the host, and what they share. [main]
#include <string>

#include "host/runtime/session.hpp"
#include "host/runtime/train/task.hpp"

namespace vissl::host {

// `engine`: a plugin's engine that asks for the phases itself; NULL = all phases in a row.
int run_train(Session& session, Instance* engine = nullptr);
int run_extract_features(Session& session);
int run_plugin_engine(Session& session);

// What `check` prints: sizes, memory in use, and the estimated time of the run. `step_seconds` is
// that of a train step, NaN for engines that do not train; `seconds` is what the check took.
std::string report_check(Task& task, double step_seconds, double seconds);

}  // namespace vissl::host
