#pragma once
// The schedules of optimizer.param_schedulers and when they are evaluated. [main]
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/boundary.hpp"
#include "host/config/lr_scale.hpp"
#include "host/runtime/setting.hpp"
#include "host/runtime/train/counters.hpp"

namespace vissl::host {

class Schedules {
 public:
  // `schedulers` is the table optimizer.param_schedulers: hyper-parameter -> component lr_schedule.
  // Scales those that ask for auto_lr_scaling to `batch`, and evaluates all at where = 0.
  Schedules(const Setting& schedulers, std::int64_t num_epochs, const StepBatch& batch,
            Catalogue& catalogue);

  bool has(std::string_view name) const { return entries_.find(name) != entries_.end(); }
  double value(std::string_view name) const;
  std::vector<std::string> names() const;

  // Evaluates the schedules whose update_interval is "epoch", at the start of a train phase.
  void update_epoch(const Counters& counters) { update(counters, false); }
  // Evaluates those whose update_interval is "step", just before an optimizer step.
  void update_step(const Counters& counters) { update(counters, true); }

 private:
  struct Entry {
    std::unique_ptr<Instance> schedule;
    bool every_step = false;
    double value = 0.0;
  };
  void update(const Counters& counters, bool every_step);
  void evaluate(const std::string& name, Entry& entry, const Counters& counters) const;

  std::map<std::string, Entry, std::less<>> entries_;
  std::int64_t num_epochs_;
};

}  // namespace vissl::host
