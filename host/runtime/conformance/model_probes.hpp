#pragma once
// The probes of trunks, heads and losses, and those of the other kinds. Each runs under a Ledger.
#include "host/boundary.hpp"

namespace vissl::host {

Verdict probe_forward(Catalogue& catalogue, const ProbeRequest& request);
Verdict probe_handles(Catalogue& catalogue, const ProbeRequest& request);
Verdict probe_repeatable(Catalogue& catalogue, const ProbeRequest& request);
Verdict probe_second_instance(Catalogue& catalogue, const ProbeRequest& request);
Verdict probe_global_state(Catalogue& catalogue, const ProbeRequest& request);
Verdict probe_gradient(Catalogue& catalogue, const ProbeRequest& request);
Verdict probe_own_parameters(Catalogue& catalogue, const ProbeRequest& request);
Verdict probe_batch_sizes(Catalogue& catalogue, const ProbeRequest& request);
Verdict probe_state(Catalogue& catalogue, const ProbeRequest& request);
Verdict probe_operators(Catalogue& catalogue, const ProbeRequest& request);

Verdict probe_optimizer(Catalogue& catalogue, const ProbeRequest& request);
Verdict probe_optimizer_state(Catalogue& catalogue, const ProbeRequest& request);
Verdict probe_optimizer_zero(Catalogue& catalogue, const ProbeRequest& request);
Verdict probe_meter(Catalogue& catalogue, const ProbeRequest& request);
Verdict probe_meter_split(Catalogue& catalogue, const ProbeRequest& request);
Verdict probe_groups(Catalogue& catalogue, const ProbeRequest& request);

// Whether a loss can be judged by its forward alone: ok when an input suits it, else skipped with
// the reason.
Verdict probe_case(Catalogue& catalogue, const ProbeRequest& request);

// Components that act in a run only: hooks, engines, and losses that need one.
Verdict probe_run(const Services& services, const ProbeRequest& request);
Verdict probe_same_run(const Services& services, const ProbeRequest& request);
Verdict probe_run_handles(const Services& services, const ProbeRequest& request);
Verdict probe_run_global_state(const Services& services, const ProbeRequest& request);
Verdict probe_resume(const Services& services, const ProbeRequest& request);

}  // namespace vissl::host
