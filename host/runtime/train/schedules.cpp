#include "host/runtime/train/schedules.hpp"

#include <vissl/lr_schedule.h>

namespace vissl::host {

namespace {

void scale_for_batch(const Setting& config, const std::string& name, const StepBatch& batch,
                     const Instance& schedule) {
  const Setting scaling = config["auto_lr_scaling"];
  if (!scaling.boolean("auto_scale")) return;
  const auto& table = schedule.as<vissl_lr_schedule_class>();
  const std::string place = "optimizer.param_schedulers." + name;
  if (table.rescale == nullptr) {
    throw Error(Exit::usage, config.where() + ": " + place + " (" + schedule.name() +
                                 ") cannot be scaled with the batch size; remove auto_lr_scaling");
  }
  const LrScale scale =
      lr_scale(scaling.number("base_value"), scaling.integer("base_lr_batch_size"),
               scaling.string("scaling_type") == "sqrt", batch);
  ErrorSink sink;
  sink.check(table.rescale(schedule.self(), scale.factor, scale.ramp_from, sink.get()), place);
}

}  // namespace

Schedules::Schedules(const Setting& schedulers, std::int64_t num_epochs, const StepBatch& batch,
                     Catalogue& catalogue)
    : num_epochs_(num_epochs) {
  for (std::size_t i = 0; i < schedulers.size(); ++i) {
    const Setting config = schedulers.at(i);
    const std::string name = schedulers.key(i);
    Entry entry;
    entry.schedule = catalogue.create("lr_schedule", config.value());
    entry.every_step = config.string("update_interval") == "step";
    scale_for_batch(config, name, batch, *entry.schedule);
    evaluate(name, entry, Counters{});
    entries_.emplace(name, std::move(entry));
  }
}

double Schedules::value(std::string_view name) const {
  const auto it = entries_.find(name);
  if (it == entries_.end()) {
    throw Error(Exit::usage,
                "optimizer.param_schedulers has no schedule '" + std::string(name) + "'; add one");
  }
  return it->second.value;
}

std::vector<std::string> Schedules::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) names.push_back(name);
  return names;
}

void Schedules::update(const Counters& counters, bool every_step) {
  for (auto& [name, entry] : entries_) {
    if (entry.every_step == every_step) evaluate(name, entry, counters);
  }
}

void Schedules::evaluate(const std::string& name, Entry& entry, const Counters& counters) const {
  const vissl_schedule_at at{sizeof(vissl_schedule_at), counters.where(),
                             std::max<std::int64_t>(counters.train_phase_idx, 0), num_epochs_};
  ErrorSink sink;
  sink.check(entry.schedule->as<vissl_lr_schedule_class>().value(entry.schedule->self(), &at,
                                                                 &entry.value, sink.get()),
             "optimizer.param_schedulers." + name);
}

}  // namespace vissl::host
