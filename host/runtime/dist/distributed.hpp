#pragma once
// A run of several ranks from its rendezvous to its end.
#include <functional>

#include "host/boundary.hpp"
#include "host/runtime/device/device.hpp"
#include "host/runtime/setting.hpp"

namespace vissl::host {

// Meets the other ranks, makes `collectives()` theirs, calls `body`, and ends with the others. With
// one rank it only calls `body`. Returns the process' exit code. An error of any rank ends all:
// rank 0 logs it, each returns or exits with 5 (with the error's own code where the rank met it
// itself). `device` chooses this process' one; a GPU's tensors go by NCCL. Throws Error when the
// ranks do not find one another. [main]
int run_with_ranks(const Services& services, const Setting& config,
                   const std::function<RunDevice()>& device, const std::function<int()>& body);

}  // namespace vissl::host
