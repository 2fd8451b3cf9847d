#pragma once
// Level "behaviour" for the kinds that need no tensors; each judges through Judged or its verdict.
#include "host/plugin/conformance/subject.hpp"

namespace vissl::host {

Verdict check_sampler_indices(Subject& subject);
Verdict check_sampler_repeats(Subject& subject);
Verdict check_schedule_pure(Subject& subject);
Verdict check_source_reads(Subject& subject);
Verdict check_weights_plan(Subject& subject);
Verdict check_scheme_resolves(Subject& subject);

Verdict check_format_recognises(Subject& subject);
// These need the file that the format writes of itself.
Verdict check_format_reads(Subject& subject);
Verdict check_format_damaged(Subject& subject);
Verdict check_format_closes(Subject& subject);

Verdict check_transform_applies(Subject& subject);
Verdict check_transform_repeats(Subject& subject);
Verdict check_transform_input(Subject& subject);
Verdict check_transform_sizes(Subject& subject);

Verdict check_collator_rows(Subject& subject);
Verdict check_collator_complete(Subject& subject);
Verdict check_collator_order(Subject& subject);

// State of instances that need no build: empty, cut and random input is refused without a crash.
Verdict check_hostile_state(Subject& subject);

}  // namespace vissl::host
