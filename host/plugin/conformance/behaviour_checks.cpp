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
      {"|transform|", "applies", check_transform_applies},
      {"|transform|", "repeatable", check_transform_repeats},
      {"|transform|", "leaves_input", check_transform_input},
      {"|transform|", "image_sizes", check_transform_sizes},
      {"|collator|", "own_rows", check_collator_rows},
      {"|collator|", "complete", check_collator_complete},
      {"|collator|", "order", check_collator_order},
      {"|sampler|lr_schedule|hook|meter|param_groups|", "hostile_state", check_hostile_state},
  };
  return checks;
}

}  // namespace vissl::host
