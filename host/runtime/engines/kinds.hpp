#pragma once
// The engines of the host, and what they share. [main]
#include <string>

#include "host/runtime/session.hpp"
#include "host/runtime/train/task.hpp"

namespace vissl::host {

int run_train(Session& session);
int run_extract_features(Session& session);
int run_plugin_engine(Session& session);

// What `check` prints: sizes, memory in use, estimated time of the run from the step that was just
// made.
std::string report_check(Task& task, bool trained, double seconds);

}  // namespace vissl::host
