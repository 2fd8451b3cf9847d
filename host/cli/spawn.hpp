#pragma once
// --nproc N: one process per rank on this machine.
#include <string>
#include <vector>

#include "host/boundary.hpp"

namespace vissl::host {

// Starts this executable `count` times with torchrun's variables and the process' `arguments` (the
// program's name first) but --nproc, passes stop signals on, and waits for all. When a rank fails
// and the others do not end by themselves within some seconds, they are killed. Returns 0 when all
// ranks did, else the code that says most of the ranks that were not killed so: 5 before other
// errors before 75. Throws Error. [main, before there are other threads]
int spawn_ranks(int count, const std::vector<std::string>& arguments, Logger& log);

// The exit code of a run whose ranks ended with `codes`.
int joint_exit_code(const std::vector<int>& codes);

// The arguments without --nproc and its value.
std::vector<std::string> without_nproc(const std::vector<std::string>& arguments);

}  // namespace vissl::host
