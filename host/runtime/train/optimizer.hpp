#pragma once
// The optimizer of a run: parameter groups, their hyper-parameters, and the state tensors that the
// optimizer component keeps here under torch's names. [main]
#include <ATen/core/Tensor.h>
#include <vissl/optimizer.h>

#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "host/boundary.hpp"
#include "host/files/node.hpp"
#include "host/runtime/dist/collectives.hpp"
#include "host/runtime/model/store.hpp"
#include "host/runtime/setting.hpp"
#include "host/runtime/train/schedules.hpp"

namespace vissl::host {

class Optimizer {
 public:
  // `config` is the table [optimizer]; `parameters` are all parameters that may be trained, in
  // store order.
  Optimizer(const Setting& config, std::vector<Entry*> parameters, const Schedules& schedules,
            Catalogue& catalogue);

  // ZeRO's first stage: each parameter's state lives on one rank alone, which updates it and gives
  // the others its new values. Once, before the first step; from then on `step` and `state_dict`
  // are called by all ranks together. `ranks` outlives this object.
  void shard(Collectives& ranks);

  void zero_grad();
  // Gradients of the parameters that have one, in store order; they share memory with them.
  std::vector<at::Tensor> gradients() const;
  // One step with the schedules' current values; parameters without gradient are left out.
  void step(const Schedules& schedules);
  // Distinct values of a hyper-parameter over the groups, in group order.
  std::vector<double> values(std::string_view hyper, const Schedules& schedules) const;
  // Multiplies a hyper-parameter of all groups from the next step on. Throws Error(bad_plugin) for
  // an unknown name.
  void scale(const std::string& hyper, double factor);
  Instance& instance() const { return *instance_; }
  std::string summary() const;  // one line: groups, how many parameters each has, shards

  // torch's optimizer.state_dict(): {state: {index: {name: tensor}}, param_groups: [{lr, …, params:
  // [index]}]}; indices count the parameters group by group. The tensors share memory with this
  // object. Beside the hyper-parameters a group has the component's group_constants.
  Node state_dict(const Schedules& schedules) const;
  // Throws Error(bad_data) naming `source` when the groups or shapes do not fit. Of the groups only
  // the numbers of their parameters are read: values come from the config.
  void load_state_dict(const Node& state, const std::string& source);

  // Services of vissl_opt_call.
  at::Tensor* find_state(std::uint64_t param, const std::string& name);
  void set_state(std::uint64_t param, const std::string& name, at::Tensor value);

 private:
  struct Hyper {
    double constant = 0.0;
    std::string schedule;  // empty = the constant
    double factor = 1.0;
  };
  struct Group {
    std::string name;
    std::vector<Hyper> hyper;         // in the order of names_
    std::vector<std::size_t> params;  // positions in parameters_
  };
  friend struct GroupBuilder;

  void read_hyper_names();
  void check_schedules(const Setting& config, const Schedules& schedules,
                       const std::string& grouping) const;
  void drop_untrained();
  // The value of the i-th hyper-parameter.
  double value_of(const Group& group, std::size_t i, const Schedules& schedules) const;
  nlohmann::json group_constants() const;  // of the component, an object
  bool owns(std::size_t param) const;
  void share_updates();
  std::vector<std::map<std::string, at::Tensor>> whole_state() const;
  std::vector<std::size_t> order() const;  // parameters group by group: torch's numbering

  std::unique_ptr<Instance> instance_;
  std::vector<std::string> names_;  // hyper-parameters
  std::vector<double> defaults_;
  std::vector<double> scales_;  // factors that components asked for, in the order of names_
  std::vector<Entry*> parameters_;
  std::vector<Group> groups_;
  std::vector<std::map<std::string, at::Tensor>> state_;  // by position in parameters_
  Collectives* ranks_ = nullptr;                          // when sharded
  std::vector<std::int64_t> owners_;                      // by position in parameters_
};

}  // namespace vissl::host
