#pragma once
// What `[engine]` runs. "train" and "extract_features" are here; every other name is an engine
// plugin. [main]
#include "host/runtime/session.hpp"

namespace vissl::host {

// Runs the config's engine and returns the exit code. Throws Error.
int run_engine(Session& session);
// Everything up to one step on a throw-away copy; leaves no files. Logs memory and time. Throws
// Error.
int check_run(Session& session);

}  // namespace vissl::host
