#pragma once
#include <string>
#include <vector>

namespace vissl::host {

// env.json of a run folder: command line, working folder, host, processor, versions, and the
// environment variables that change a run.
std::string environment_json(const std::vector<std::string>& arguments);

}  // namespace vissl::host
