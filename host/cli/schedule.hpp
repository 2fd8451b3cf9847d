#pragma once
// The schedules of a config as numbers, without a model: what `show schedule` prints.
#include <string>
#include <vector>

#include "host/boundary.hpp"
#include "host/config/value.hpp"

namespace vissl::host {

struct ScheduleTable {
  std::vector<std::string> names;           // hyper-parameters in the order of the config
  std::vector<double> where;                // progress of each row, [0, 1)
  std::vector<double> epoch;                // the same in epochs
  std::vector<std::vector<double>> values;  // [row][name]
};

// Evaluates optimizer.param_schedulers at `points` >= 2 places from the start to the last step,
// with auto_lr_scaling applied for `world` ranks, `ranks_per_node` of them on each machine. A
// schedule with update_interval "epoch" keeps the value of its epoch's start. Throws Error: no
// schedules, or a component's error.
ScheduleTable evaluate_schedules(const Value& config, Catalogue& catalogue, int points,
                                 std::int64_t world, std::int64_t ranks_per_node);

}  // namespace vissl::host
