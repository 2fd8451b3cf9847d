#pragma once
// The checks of check-plugin that need tensors.
#include "host/boundary.hpp"

namespace vissl::host {

// Runs one check; throws Error for what it does not foresee, e.g. a component without such a check.
Verdict run_probe(const Services& services, const ProbeRequest& request);

}  // namespace vissl::host
