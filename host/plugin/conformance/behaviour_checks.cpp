#include "host/plugin/conformance/behaviour_checks.hpp"

#include "host/plugin/conformance/contract_checks.hpp"

namespace vissl::host {
const std::vector<SubjectCheck>& behaviour_checks() {
  static const std::vector<SubjectCheck> checks = {
      {"|sampler|", "indices", check_sampler_indices},
      {"|sampler|", "repeatable", check_sampler_repeats},
      {"|lr_schedule|", "pure", check_schedule_pure},
      {"|data_source|", "reads", check_source_reads},
      {"|weights|", "plan", check_weights_plan},
      {"|weights_scheme|", "resolves", check_scheme_resolves},
      {"|weights_format|", "recognises", check_format_recognises},
      {"|weights_format|", "reads", check_format_reads, "recognises"},
      {"|weights_format|", "damaged", check_format_damaged, "reads"},
      {"|weights_format|", "closes", check_format_closes, "reads"},
      {"|transform|", "applies", check_transform_applies},
      {"|transform|", "repeatable", check_transform_repeats, "applies"},
      {"|transform|", "leaves_input", check_transform_input, "applies"},
      {"|transform|", "image_sizes", check_transform_sizes, "applies"},
      {"|collator|", "own_rows", check_collator_rows},
      {"|collator|", "complete", check_collator_complete},
      {"|collator|", "order", check_collator_order},
      {"|trunk|head|loss|", "forward", nullptr},
      {"|trunk|head|loss|", "handles", nullptr, "forward"},
      {"|trunk|head|loss|", "repeatable", nullptr, "forward"},
      {"|trunk|head|loss|", "second_instance", nullptr, "forward"},
      {"|trunk|head|loss|", "global_state", nullptr, "forward"},
      {"|trunk|head|loss|", "gradient", nullptr, "forward"},
      {"|trunk|head|loss|", "own_parameters", nullptr, "forward"},
      {"|trunk|head|", "batch_sizes", nullptr, "forward"},
      {"|trunk|head|loss|", "state", nullptr, "forward"},
      {"|trunk|head|loss|", "operators", nullptr, "forward"},
      {"|optimizer|", "steps", nullptr},
      {"|optimizer|", "step_state", nullptr, "steps"},
      {"|optimizer|", "zero_gradient", nullptr, "steps"},
      {"|meter|", "updates", nullptr},
      {"|meter|", "split", nullptr, "updates"},
      {"|param_groups|", "groups", nullptr},
      {"|hook|engine|loss|", "run", nullptr, "forward", true},
      {"|hook|engine|loss|", "same_run", nullptr, "run", true},
      {"|hook|engine|loss|", "run_handles", nullptr, "run", true},
      {"|hook|engine|loss|", "run_global_state", nullptr, "run", true},
      {"|hook|loss|", "resume", nullptr, "run", true},
      {"|sampler|lr_schedule|optimizer|hook|meter|param_groups|", "hostile_state",
       check_hostile_state},
  };
  return checks;
}

}  // namespace vissl::host
