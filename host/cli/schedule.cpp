#include "host/cli/schedule.hpp"

#include <vissl/lr_schedule.h>

#include <cmath>

#include "host/config/lr_scale.hpp"
#include "host/config/path.hpp"

namespace vissl::host {
namespace {

void scale(Instance& schedule, const Value& table, const StepBatch& batch) {
  const Value* scaling = table.find("auto_lr_scaling");
  if (scaling == nullptr || !scaling->find("auto_scale")->as_bool()) return;
  const auto& methods = schedule.as<vissl_lr_schedule_class>();
  if (methods.rescale == nullptr)
    throw Error(Exit::usage, scaling->find("auto_scale")->origin().where() + ": lr_schedule '" +
                                 schedule.name() + "' cannot be scaled; set auto_scale = false");
  const LrScale scale = lr_scale(scaling->find("base_value")->as_number(),
                                 scaling->find("base_lr_batch_size")->as_int(),
                                 scaling->find("scaling_type")->as_text() == "sqrt", batch);
  ErrorSink sink;
  sink.check(methods.rescale(schedule.self(), scale.factor, scale.ramp_from, sink.get()),
             table.origin().where() + ": lr_schedule '" + schedule.name() + "'");
}

double value_at(const Instance& schedule, const Value& table, double where, std::int64_t epochs) {
  vissl_schedule_at at{sizeof(vissl_schedule_at), where,
                       static_cast<std::int64_t>(where * static_cast<double>(epochs)), epochs};
  if (table.find("update_interval")->as_text() == "epoch")
    at.where = static_cast<double>(at.epoch) / static_cast<double>(epochs);
  double value = 0.0;
  ErrorSink sink;
  sink.check(schedule.as<vissl_lr_schedule_class>().value(schedule.self(), &at, &value, sink.get()),
             table.origin().where() + ": lr_schedule '" + schedule.name() + "'");
  return value;
}

}  // namespace

ScheduleTable evaluate_schedules(const Value& config, Catalogue& catalogue, int points,
                                 std::int64_t world, std::int64_t ranks_per_node) {
  const Value* schedules = find_path(config, "optimizer.param_schedulers");
  if (schedules == nullptr || schedules->entries().empty())
    throw Error(Exit::usage,
                "the config has no schedules: [optimizer.param_schedulers.lr] is missing");
  const std::int64_t epochs = find_path(config, "optimizer.num_epochs")->as_int();
  const Value* given = find_path(config, "data.train.batchsize_per_replica");
  const std::int64_t per_rank = (given != nullptr ? given->as_int() : 256) *
                                find_path(config, "optimizer.accumulate_batches")->as_int();
  const StepBatch batch{per_rank * world, per_rank * ranks_per_node};
  ScheduleTable table;
  for (int row = 0; row < points; ++row) {
    const double where =
        std::min(static_cast<double>(row) / (points - 1), std::nextafter(1.0, 0.0));
    table.where.push_back(where);
    table.epoch.push_back(where * static_cast<double>(epochs));
    table.values.emplace_back();
  }
  for (const TableEntry& entry : schedules->entries()) {
    const std::unique_ptr<Instance> schedule = catalogue.create("lr_schedule", &entry.value);
    scale(*schedule, entry.value, batch);
    table.names.push_back(entry.key);
    for (std::size_t row = 0; row < table.where.size(); ++row)
      table.values[row].push_back(value_at(*schedule, entry.value, table.where[row], epochs));
  }
  return table;
}

}  // namespace vissl::host
