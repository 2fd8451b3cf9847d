#pragma once
// Calls components of the training path as the host does: losses, heads, trunks, optimizers,
// groups, meters, engines, events.
//
//   test::Loss loss(host.run, host.component("loss", "simclr_info_nce_loss").create("temperature =
//   0.5")); CHECK_CLOSE(loss({embeddings}), {1.2345}, 1e-9, 0);
#include <vissl/engine.h>
#include <vissl/head.h>
#include <vissl/loss.h>
#include <vissl/meter.h>
#include <vissl/optimizer.h>
#include <vissl/trunk.h>
#include <vissl/events.hpp>
#include <vissl/test/run_state.hpp>

namespace vissl {
namespace test VISSL_HIDDEN {

// Tells an instance of an event that it asked for; others are refused, since the host never sends
// them.
inline void fire(RunState& run, const Instance& instance, Event event) {
  const auto* table = instance.extension<vissl_events_class>(VISSL_EVENTS_ID);
  const auto number = static_cast<std::uint32_t>(event);
  if (table == nullptr || (table->mask >> number & 1) == 0) {
    fail(VISSL_E_UNSUPPORTED,
         instance.component().name + " does not listen to event " + std::to_string(number));
  }
  vissl::call(table->on_event, instance.handle(), number, run.handle());
}
inline std::uint64_t event_mask_of(const Instance& instance) {
  const auto* table = instance.extension<vissl_events_class>(VISSL_EVENTS_ID);
  return table != nullptr ? table->mask : 0;
}

class Loss {
 public:
  Loss(RunState& run, Instance instance) : run_(run), instance_(std::move(instance)) {
    vissl::call(table().build, instance_.handle(), store.handle(), &run_.facts);
  }
  // The outputs are also the run's outputs; the value is also the run's loss.
  Tensor operator()(const std::vector<Tensor>& outputs, const Tensor& target = Tensor()) {
    run_.outputs = outputs;
    const Tensors list(outputs);
    vissl_tensor* out = nullptr;
    vissl::call(table().forward, instance_.handle(), run_.handle(), list.handles(),
                std::uint64_t{outputs.size()}, target.handle(), &out);
    return run_.loss = Tensor::own(out);
  }
  void fire(Event event) { test::fire(run_, instance_, event); }
  std::uint32_t rank_reduction() const { return table().rank_reduction; }
  const Instance& instance() const { return instance_; }
  Store store;  // scope "loss"

 private:
  const vissl_loss_class& table() const { return instance_.table<vissl_loss_class>(VISSL_LOSS_ID); }
  RunState& run_;
  Instance instance_;
};

class Head {
 public:
  Head(RunState& run, Instance instance) : instance_(std::move(instance)) {
    vissl::call(table().build, instance_.handle(), store.handle(), &run.facts);
  }
  std::vector<Tensor> operator()(const std::vector<Tensor>& inputs, bool training = true) const {
    const Tensors list(inputs);
    vissl::detail::TensorCollector outputs;
    vissl::call(table().forward, instance_.handle(), list.handles(), std::uint64_t{inputs.size()},
                std::uint32_t{training}, outputs.sink());
    return outputs.take();
  }
  std::int64_t in_channels() const {
    return table().in_channels != nullptr ? table().in_channels(instance_.handle()) : -1;
  }
  const Instance& instance() const { return instance_; }
  Store store;

 private:
  const vissl_head_class& table() const { return instance_.table<vissl_head_class>(VISSL_HEAD_ID); }
  Instance instance_;
};

class Trunk {
 public:
  Trunk(RunState& run, Instance instance) : instance_(std::move(instance)) {
    vissl::call(table().build, instance_.handle(), store.handle(), &run.facts);
  }
  std::vector<std::string> features() const {
    std::vector<std::string> names;
    for (std::uint64_t i = 0; i < table().feature_count(instance_.handle()); ++i) {
      names.emplace_back(view(table().feature_name(instance_.handle(), i)));
    }
    return names;
  }
  std::vector<Tensor> operator()(const Tensor& image, const std::vector<std::string>& features = {},
                                 bool training = true) const {
    return forward({{"image", image}}, features, training);
  }
  std::vector<Tensor> forward(const std::vector<std::pair<std::string, Tensor>>& inputs,
                              const std::vector<std::string>& features, bool training) const {
    std::vector<vissl_str> names;
    std::vector<vissl_tensor*> tensors;
    for (const auto& [name, tensor] : inputs) {
      names.push_back(str(name));
      tensors.push_back(tensor.handle());
    }
    const std::vector<vissl_str> wanted = vissl::detail::strs(features);
    const vissl_trunk_call call = {sizeof(vissl_trunk_call),
                                   names.data(),
                                   tensors.data(),
                                   inputs.size(),
                                   wanted.data(),
                                   wanted.size(),
                                   std::uint32_t{training}};
    std::vector<vissl_tensor*> out(std::max<std::size_t>(1, features.size()), nullptr);
    vissl::call(table().forward, instance_.handle(), &call, out.data());
    std::vector<Tensor> results;
    for (vissl_tensor* t : out) results.push_back(Tensor::own(t));
    return results;
  }
  std::int64_t channels(std::string_view feature) const {
    return table().feature_channels != nullptr
               ? table().feature_channels(instance_.handle(), str(feature))
               : -1;
  }
  const Instance& instance() const { return instance_; }
  Store store;

 private:
  const vissl_trunk_class& table() const {
    return instance_.table<vissl_trunk_class>(VISSL_TRUNK_ID);
  }
  Instance instance_;
};

// Steps parameters that the test gives. Parameters without gradient are left out, as the host does.
class Optimizer {
 public:
  struct Group {
    std::vector<RunParam> params;
    std::vector<double> hyper;  // in the order of hypers()
  };
  Optimizer(Instance instance) : instance_(std::move(instance)) {}
  std::vector<std::pair<std::string, double>> hypers() const {
    std::vector<std::pair<std::string, double>> list;
    for (std::uint64_t i = 0; i < table().hyper_count(instance_.handle()); ++i) {
      list.emplace_back(view(table().hyper_name(instance_.handle(), i)),
                        table().hyper_default(instance_.handle(), i));
    }
    return list;
  }
  void step(const std::vector<Group>& groups) {
    std::vector<std::vector<vissl_opt_param>> params(groups.size());
    std::vector<vissl_opt_group> raw(groups.size());
    for (std::size_t g = 0; g < groups.size(); ++g) {
      for (const RunParam& p : groups[g].params) {
        const std::uint64_t id = ids_.emplace(p.name, ids_.size()).first->second;
        if (!p.grad.defined()) continue;
        params[g].push_back({sizeof(vissl_opt_param), str(p.name), p.tensor.handle(),
                             p.grad.handle(), p.role, p.module, p.tags, p.depth, id});
      }
      raw[g] = {sizeof(vissl_opt_group), str("group"), params[g].data(), params[g].size(),
                groups[g].hyper.data()};
    }
    const vissl_opt_call call = {
        sizeof(vissl_opt_call),
        raw.data(),
        raw.size(),
        this,
        [](void* self, std::uint64_t id, vissl_str name) {
          auto& states = static_cast<Optimizer*>(self)->states_;
          const auto found = states.find({id, std::string(view(name))});
          return found != states.end() ? found->second.handle() : nullptr;
        },
        [](void* self, std::uint64_t id, vissl_str name, vissl_tensor* t, vissl_err* err) {
          return guarded(err, [&] {
            static_cast<Optimizer*>(self)->states_[{id, std::string(view(name))}] =
                Tensor::borrow(t);
          });
        },
        &Optimizer::norms};
    NoGrad off;
    vissl::call(table().step, instance_.handle(), &call);
  }
  // A state tensor by the parameter's name; undefined when there is none.
  Tensor state(const std::string& param, const std::string& name) const {
    const auto found = states_.find({ids_.at(param), name});
    return found != states_.end() ? found->second : Tensor();
  }
  const Instance& instance() const { return instance_; }

 private:
  static vissl_status norms(void*, vissl_tensor* const* tensors, std::uint64_t count,
                            vissl_tensor** out, vissl_err* err) {
    return guarded(err, [&] {
      Values list;
      for (std::uint64_t i = 0; i < count; ++i)
        list.push_back(detail::norm(Engine::current().array(tensors[i]).values(), 2));
      *out = Engine::current().give(
          Array::make(std::move(list), {static_cast<std::int64_t>(count)}, VISSL_F32));
    });
  }
  const vissl_optimizer_class& table() const {
    return instance_.table<vissl_optimizer_class>(VISSL_OPTIMIZER_ID);
  }
  Instance instance_;
  std::map<std::string, std::uint64_t> ids_;
  std::map<std::pair<std::uint64_t, std::string>, Tensor> states_;
};

class Meter {
 public:
  Meter(Instance instance) : instance_(std::move(instance)) { reset(); }
  void reset() { vissl::call(table().reset, instance_.handle()); }
  void update(const std::vector<Tensor>& outputs, const Tensor& target) {
    const Tensors list(outputs);
    vissl::call(table().update, instance_.handle(), list.handles(), std::uint64_t{outputs.size()},
                target.handle());
  }
  // The counters that are summed over the ranks; writable, as the host writes the sums back.
  std::vector<double> counters() const {
    double* data = nullptr;
    std::uint64_t count = 0;
    vissl::call(table().counters, instance_.handle(), &data, &count);
    return std::vector<double>(data, data + count);
  }
  void set_counters(const std::vector<double>& sums) const {
    double* data = nullptr;
    std::uint64_t count = 0;
    vissl::call(table().counters, instance_.handle(), &data, &count);
    if (count != sums.size()) fail("the meter has " + std::to_string(count) + " counters");
    std::copy(sums.begin(), sums.end(), data);
  }
  // JSON text.
  std::string value() const {
    std::string text;
    const vissl_out out = {sizeof(vissl_out), &text,
                           [](void* self, const void* data, std::uint64_t bytes) {
                             static_cast<std::string*>(self)->append(
                                 static_cast<const char*>(data), static_cast<std::size_t>(bytes));
                             return bytes;
                           }};
    vissl::call(table().value, instance_.handle(), &out);
    return text;
  }
  const Instance& instance() const { return instance_; }

 private:
  const vissl_meter_class& table() const {
    return instance_.table<vissl_meter_class>(VISSL_METER_ID);
  }
  Instance instance_;
};

// What a param_groups component decided, as text: "all: weight_decay = 0.1, lr = lr_head * 0.5;
// trunk.weight trunk.bias".
inline std::vector<std::string> assign_groups(const Instance& instance,
                                              const std::vector<RunParam>& params,
                                              const Node& optimizer) {
  struct Group {
    std::string name, hypers, params;
  };
  struct Collected {
    std::vector<Group> groups;
    const std::vector<RunParam>* params;
    static Collected& of(void* self) { return *static_cast<Collected*>(self); }
    void hyper(std::uint64_t group, vissl_str name, const std::string& value) {
      std::string& text = groups.at(static_cast<std::size_t>(group)).hypers;
      text += (text.empty() ? " " : ", ") + std::string(view(name)) + " = " + value;
    }
  };
  const auto number = [](double x) {
    char text[40];
    std::snprintf(text, sizeof text, "%.12g", x);
    return std::string(text);
  };
  static auto format = number;
  Collected collected = {{}, &params};
  std::vector<vissl_param_info> infos;
  for (const RunParam& p : params) {
    infos.push_back({sizeof(vissl_param_info), str(p.name), p.tensor.handle(), p.role, p.module,
                     p.tags, p.depth, p.trainable ? 1u : 0u});
  }
  const vissl_group_sink sink = {
      sizeof(vissl_group_sink),
      &collected,
      [](void* self, vissl_str name) {
        Collected::of(self).groups.push_back({std::string(view(name)), "", ""});
        return std::uint64_t{Collected::of(self).groups.size() - 1};
      },
      [](void* self, std::uint64_t group, vissl_str hyper, double value) {
        Collected::of(self).hyper(group, hyper, format(value));
      },
      [](void* self, std::uint64_t group, vissl_str hyper, vissl_str schedule, double factor) {
        Collected::of(self).hyper(group, hyper,
                                  std::string(view(schedule)) + " * " + format(factor));
      },
      [](void* self, std::uint64_t param, std::uint64_t group) {
        Collected& all = Collected::of(self);
        all.groups.at(static_cast<std::size_t>(group)).params +=
            " " + all.params->at(static_cast<std::size_t>(param)).name;
      }};
  const auto& table = instance.table<vissl_param_groups_class>(VISSL_PARAM_GROUPS_ID);
  vissl::call(table.assign, instance.handle(), infos.data(), std::uint64_t{infos.size()},
              optimizer.handle(), &sink);
  std::vector<std::string> lines;
  for (const Group& group : collected.groups)
    lines.push_back(group.name + ":" + group.hypers + ";" + group.params);
  return lines;
}

inline void run_engine(RunState& run, const Instance& instance) {
  vissl::call(instance.table<vissl_engine_class>(VISSL_ENGINE_ID).run, instance.handle(),
              run.handle());
}

}  // namespace test
}  // namespace vissl
