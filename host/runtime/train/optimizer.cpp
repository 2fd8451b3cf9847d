#include "host/runtime/train/optimizer.hpp"
#include "host/runtime/abi/given.hpp"

#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/stack.h>
#include <torch/csrc/autograd/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "host/runtime/abi/context.hpp"
#include "host/runtime/abi/guard.hpp"
#include "host/runtime/abi/handle.hpp"
#include "host/runtime/checkpoint/tensors.hpp"
#include "host/text_sink.hpp"

namespace vissl::host {

// Receives the groups of a param_groups component.
struct GroupBuilder {
  Optimizer& optimizer;
  const Schedules& schedules;
  std::string error;

  Optimizer::Hyper* hyper(std::uint64_t group, vissl_str name) {
    for (std::size_t i = 0; i < optimizer.names_.size(); ++i) {
      if (optimizer.names_[i] == view(name)) return &optimizer.groups_.at(group).hyper[i];
    }
    return nullptr;  // a hyper-parameter that this optimizer does not have, e.g. weight_decay of a
                     // group
  }
  static GroupBuilder& of(void* self) { return *static_cast<GroupBuilder*>(self); }

  static std::uint64_t add(void* self, vissl_str name) {
    GroupBuilder& b = of(self);
    Optimizer::Group group{text(name), {}, {}};
    for (std::size_t i = 0; i < b.optimizer.names_.size(); ++i) {
      const std::string& hyper_name = b.optimizer.names_[i];
      group.hyper.push_back(
          {b.optimizer.defaults_[i], b.schedules.has(hyper_name) ? hyper_name : "", 1.0});
    }
    b.optimizer.groups_.push_back(std::move(group));
    return b.optimizer.groups_.size() - 1;
  }
  static void constant(void* self, std::uint64_t group, vissl_str name, double value) {
    if (auto* h = of(self).hyper(group, name)) *h = {value, "", 1.0};
  }
  static void schedule(void* self, std::uint64_t group, vissl_str name, vissl_str schedule_name,
                       double factor) {
    GroupBuilder& b = of(self);
    if (!b.schedules.has(view(schedule_name))) {
      b.error = "group '" + b.optimizer.groups_.at(group).name + "' wants the schedule '" +
                text(schedule_name) + "', which optimizer.param_schedulers does not have";
      return;
    }
    if (auto* h = b.hyper(group, name)) *h = {0.0, text(schedule_name), factor};
  }
  static void assign(void* self, std::uint64_t param, std::uint64_t group) {
    of(self).optimizer.groups_.at(group).params.push_back(param);
  }
};

Optimizer::Optimizer(const Setting& config, std::vector<Entry*> parameters,
                     const Schedules& schedules, Catalogue& catalogue)
    : instance_(catalogue.create("optimizer", config.value())), parameters_(std::move(parameters)) {
  read_hyper_names();
  const auto builder = catalogue.create("param_groups", config["param_groups"].value());
  std::vector<vissl_param_info> infos;
  for (Entry* e : parameters_) {
    infos.push_back({sizeof(vissl_param_info), str(e->name), e->handle(), e->role, e->module,
                     e->tags, e->depth, e->trainable() ? 1u : 0u});
  }
  GroupBuilder receiver{*this, schedules, {}};
  const vissl_group_sink sink{sizeof sink,
                              &receiver,
                              &GroupBuilder::add,
                              &GroupBuilder::constant,
                              &GroupBuilder::schedule,
                              &GroupBuilder::assign};
  ErrorSink error;
  error.check(builder->as<vissl_param_groups_class>().assign(
                  builder->self(), infos.data(), infos.size(), config.value(), &sink, error.get()),
              "optimizer.param_groups (" + builder->name() + ")");
  if (!receiver.error.empty()) throw Error(Exit::usage, config.where() + ": " + receiver.error);
  check_schedules(config, schedules, builder->name());
  drop_untrained();
  state_.resize(parameters_.size());
}

void Optimizer::read_hyper_names() {
  const auto& table = instance_->as<vissl_optimizer_class>();
  for (std::uint64_t i = 0; i < table.hyper_count(instance_->self()); ++i) {
    names_.push_back(text(table.hyper_name(instance_->self(), i)));
    defaults_.push_back(table.hyper_default(instance_->self(), i));
    scales_.push_back(1.0);
  }
}

void Optimizer::check_schedules(const Setting& config, const Schedules& schedules,
                                const std::string& grouping) const {
  for (const std::string& name : schedules.names()) {
    const bool used = std::any_of(groups_.begin(), groups_.end(), [&](const Group& group) {
      return std::any_of(group.hyper.begin(), group.hyper.end(),
                         [&](const Hyper& hyper) { return hyper.schedule == name; });
    });
    if (used) continue;
    std::string known;
    for (const std::string& hyper : names_) known += (known.empty() ? "" : ", ") + hyper;
    throw Error(Exit::usage, config["param_schedulers." + name].where() +
                                 ": no parameter group uses the schedule '" + name +
                                 "' of optimizer.param_schedulers; the hyper-parameters of " +
                                 instance_->name() + " are " + known +
                                 " (groups are made by param_groups \"" + grouping + "\")");
  }
}

void Optimizer::drop_untrained() {
  std::set<std::size_t> seen;
  for (Group& group : groups_) {
    std::erase_if(group.params, [&](std::size_t p) {
      if (p < parameters_.size() && !seen.insert(p).second) {
        throw Error(Exit::run_failed, "parameter '" + parameters_[p]->name +
                                          "' is in two groups of optimizer.param_groups");
      }
      return p >= parameters_.size() || !parameters_[p]->trainable();
    });
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (group.hyper[i].schedule.empty() && std::isnan(group.hyper[i].constant)) {
        throw Error(Exit::usage, "optimizer (" + instance_->name() +
                                     ") needs a schedule optimizer.param_schedulers." + names_[i]);
      }
    }
  }
}

void Optimizer::zero_grad() {
  for (Entry* e : parameters_) e->tensor.mutable_grad() = at::Tensor();
}

std::vector<at::Tensor> Optimizer::gradients() const {
  std::vector<at::Tensor> out;
  for (Entry* e : parameters_) {
    if (e->tensor.mutable_grad().defined()) out.push_back(e->tensor.mutable_grad());
  }
  return out;
}

double Optimizer::value_of(const Group& group, std::size_t i, const Schedules& schedules) const {
  const Hyper& hyper = group.hyper[i];
  const double value =
      hyper.schedule.empty() ? hyper.constant : hyper.factor * schedules.value(hyper.schedule);
  return scales_[i] * value;
}

void Optimizer::scale(const std::string& hyper, double factor) {
  const auto found = std::find(names_.begin(), names_.end(), hyper);
  if (found == names_.end())
    throw Error(Exit::bad_plugin,
                "optimizer (" + instance_->name() + ") has no hyper-parameter '" + hyper + "'");
  scales_[static_cast<std::size_t>(found - names_.begin())] = factor;
}

namespace {

vissl_status norms(void*, vissl_tensor* const* tensors, uint64_t count, vissl_tensor** out,
                   vissl_err* err) {
  return guarded(err, [&] {
    std::vector<at::Tensor> list;
    for (uint64_t i = 0; i < count; ++i) list.push_back(given(tensors[i], "norms"));
    *out = wrap(at::stack(at::_foreach_norm(list, 2)).to(at::kFloat));
  });
}

}  // namespace

void Optimizer::step(const Schedules& schedules) {
  const torch::autograd::AutoGradMode no_grad(false);
  std::vector<std::vector<vissl_opt_param>> params(groups_.size());
  std::vector<std::vector<double>> hyper(groups_.size());
  std::vector<vissl_opt_group> groups;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    for (const std::size_t p : groups_[g].params) {
      Entry& e = *parameters_[p];
      if (!e.tensor.mutable_grad().defined() || !owns(p)) continue;
      params[g].push_back({sizeof(vissl_opt_param), str(e.name), e.handle(),
                           borrow(e.tensor.mutable_grad()), e.role, e.module, e.tags, e.depth, p});
    }
    for (std::size_t i = 0; i < names_.size(); ++i)
      hyper[g].push_back(value_of(groups_[g], i, schedules));
    groups.push_back({sizeof(vissl_opt_group), str(groups_[g].name), params[g].data(),
                      params[g].size(), hyper[g].data()});
  }
  vissl_opt_call call{sizeof call, groups.data(), groups.size(), this, nullptr, nullptr, &norms};
  call.state = [](void* self, uint64_t id, vissl_str name) -> vissl_tensor* {
    at::Tensor* found = static_cast<Optimizer*>(self)->find_state(id, text(name));
    return found == nullptr ? nullptr : borrow(*found);
  };
  call.set_state = [](void* self, uint64_t id, vissl_str name, vissl_tensor* t, vissl_err* err) {
    return guarded(err, [&] {
      static_cast<Optimizer*>(self)->set_state(id, text(name), given(t, "set_state"));
    });
  };
  const InPlugin place = entering(*instance_, "step");
  ErrorSink sink;
  sink.check(instance_->as<vissl_optimizer_class>().step(instance_->self(), &call, sink.get()),
             "optimizer (" + instance_->name() + ")");
  share_updates();
}

at::Tensor* Optimizer::find_state(std::uint64_t param, const std::string& name) {
  auto& map = state_.at(param);
  const auto it = map.find(name);
  return it == map.end() ? nullptr : &it->second;
}

void Optimizer::set_state(std::uint64_t param, const std::string& name, at::Tensor value) {
  state_.at(param)[name] = std::move(value);
}

std::vector<double> Optimizer::values(std::string_view hyper, const Schedules& schedules) const {
  std::vector<double> out;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (names_[i] != hyper) continue;
    for (const Group& group : groups_) {
      const double v = value_of(group, i, schedules);
      if (!group.params.empty() && std::find(out.begin(), out.end(), v) == out.end())
        out.push_back(v);
    }
  }
  return out;
}

std::string Optimizer::summary() const {
  std::string text = instance_->name() + ":";
  for (const Group& group : groups_) {
    if (!group.params.empty()) text += " " + group.name + " " + std::to_string(group.params.size());
  }
  if (ranks_ != nullptr)
    text += ", state sharded over " + std::to_string(ranks_->world()) + " ranks";
  return text;
}

std::vector<std::size_t> Optimizer::order() const {
  std::vector<std::size_t> order;
  for (const Group& group : groups_)
    order.insert(order.end(), group.params.begin(), group.params.end());
  return order;
}

namespace {

Node to_node(const nlohmann::json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return {};  // None
  Node list = Node::list();
  for (const nlohmann::json& item : value) list.append(to_node(item));
  return list;
}

}  // namespace

nlohmann::json Optimizer::group_constants() const {
  const auto& table = instance_->as<vissl_optimizer_class>();
  if (table.group_constants == nullptr) return nlohmann::json::object();
  std::string text;
  const vissl_out out = text_sink(text);
  ErrorSink sink;
  sink.check(table.group_constants(instance_->self(), &out, sink.get()),
             "optimizer (" + instance_->name() + ")");
  nlohmann::json constants = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!constants.is_object())
    throw Error(Exit::bad_plugin, "optimizer (" + instance_->name() +
                                      ") gives group constants that are no JSON object: " + text);
  return constants;
}

Node Optimizer::state_dict(const Schedules& schedules) const {
  const nlohmann::json constants = group_constants();
  const auto whole = whole_state();
  Node state = Node::dict();
  Node groups = Node::list();
  std::int64_t index = 0;
  for (const Group& group : groups_) {
    Node entry = Node::dict();
    for (const auto& [name, value] : constants.items()) entry[name] = to_node(value);
    for (std::size_t i = 0; i < names_.size(); ++i)
      entry[names_[i]] = value_of(group, i, schedules);
    entry["name"] = group.name;
    Node members = Node::list();
    for (const std::size_t p : group.params) {
      if (!whole[p].empty()) {
        Node tensors = Node::dict();
        for (const auto& [name, tensor] : whole[p]) tensors[name] = to_file(tensor);
        state[index] = std::move(tensors);
      }
      members.append(index++);
    }
    entry["params"] = std::move(members);
    groups.append(std::move(entry));
  }
  Node out = Node::dict();
  out["state"] = std::move(state);
  out["param_groups"] = std::move(groups);
  return out;
}

void Optimizer::load_state_dict(const Node& saved, const std::string& source) {
  const std::vector<Node>& groups = saved.at("param_groups").as_items();
  bool fits = groups.size() == groups_.size();
  for (std::size_t g = 0; fits && g < groups.size(); ++g) {
    fits = groups[g].at("params").as_items().size() == groups_[g].params.size();
  }
  if (!fits) {
    throw Error(Exit::bad_data,
                source + ": the optimizer's parameter groups differ from those of this config (" +
                    summary() +
                    "); resume with the config that wrote the checkpoint, or start in another "
                    "checkpoint.dir");
  }
  const std::vector<std::size_t> params = order();
  std::vector<std::map<std::string, at::Tensor>> loaded(parameters_.size());
  for (const auto& [key, tensors] : saved.at("state").as_dict().entries()) {
    const auto* number = std::get_if<std::int64_t>(&key);
    const std::size_t index = number != nullptr ? static_cast<std::size_t>(*number) : params.size();
    if (index >= params.size())
      throw Error(Exit::bad_data,
                  source + ": optimizer state of an unknown parameter " + to_text(key));
    if (!owns(params[index])) continue;
    for (const auto& [name, value] : tensors.as_dict().entries()) {
      at::Tensor tensor = from_file(value.as_tensor());
      // Counters of steps are single numbers on the CPU, as torch's optimizers keep them.
      if (tensor.dim() > 0) tensor = tensor.to(parameters_[params[index]]->tensor.device());
      loaded[params[index]][to_text(name)] = std::move(tensor);
    }
  }
  state_ = std::move(loaded);
}

}  // namespace vissl::host
