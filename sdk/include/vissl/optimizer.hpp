#pragma once
// Kind optimizer. State tensors are the host's, under torch's names, so that checkpoints look like
// torch's. [main], without grad
//
//   struct Sgd {
//     double momentum;
//     explicit Sgd(const Config& c) : momentum(c.number("momentum")) {}
//     std::vector<Hyper> hypers() const { return {{"lr"}, {"weight_decay", 0.0}, {"momentum",
//     momentum}}; } void step(const OptCall& call) {
//       for (const OptGroup& group : call.groups()) {
//         const double lr = group.hyper(0);
//         for (const OptParam& p : group.params()) p.param().sub_(p.grad(), lr);
//       }
//     }
//   };
//   VISSL_OPTIMIZER(Sgd, "sgd", "Stochastic gradient descent with momentum.")
//
// Optional: std::vector<GroupConstant> group_constants() const, what torch's optimizer of the same
// rule keeps in its groups beside the hyper-parameters, {{"nesterov", true}, {"foreach", nullptr}},
// so that it can go on with a checkpoint.
#include <vissl/optimizer.h>
#include <vissl/events.hpp>
#include <vissl/state.hpp>

#include <cstdio>
#include <limits>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

// A hyper-parameter that schedules and groups may set; without a default it must come from a
// schedule.
struct Hyper {
  Hyper(std::string name_, double value_ = std::numeric_limits<double>::quiet_NaN())
      : name(std::move(name_)), value(value_) {}
  std::string name;
  double value;
};

// A value of torch's parameter groups that nothing changes during a run.
struct GroupConstant {
  GroupConstant(std::string name_, bool value)
      : name(std::move(name_)), json(value ? "true" : "false") {}
  GroupConstant(std::string name_, std::nullptr_t) : name(std::move(name_)), json("null") {}
  GroupConstant(std::string name_, int value)
      : name(std::move(name_)), json(std::to_string(value)) {}
  GroupConstant(std::string name_, double value) : name(std::move(name_)), json(number(value)) {}
  GroupConstant(std::string name_, const std::vector<double>& values) : name(std::move(name_)) {
    for (const double value : values) json += (json.empty() ? "[" : ", ") + number(value);
    json += json.empty() ? "[]" : "]";
  }
  std::string name;
  std::string json;

 private:
  static std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.17g", value);
    return text;
  }
};

class OptParam {
 public:
  explicit OptParam(const vissl_opt_param* raw) : raw_(raw) {}
  std::string_view name() const { return view(raw_->name); }
  Tensor param() const { return Tensor::borrow(raw_->param); }
  Tensor grad() const { return Tensor::borrow(raw_->grad); }
  std::uint32_t role() const { return raw_->role; }      // VISSL_ROLE_…
  std::uint32_t module() const { return raw_->module; }  // VISSL_MODULE_…
  std::uint32_t tags() const { return raw_->tags; }      // VISSL_TAG_…
  std::int32_t depth() const { return raw_->depth; }
  std::uint64_t id() const { return raw_->id; }

 private:
  const vissl_opt_param* raw_;
};

// Parameters and their gradients as lists, for the _foreach operators.
struct OptTensors {
  std::vector<Tensor> params, grads;
};

class OptGroup {
 public:
  explicit OptGroup(const vissl_opt_group* raw) : raw_(raw) {}
  std::string_view name() const { return view(raw_->name); }
  // In the order of hypers().
  double hyper(std::size_t i) const { return raw_->hyper[i]; }
  std::vector<OptParam> params() const {
    std::vector<OptParam> list;
    list.reserve(static_cast<std::size_t>(raw_->param_count));
    for (std::uint64_t i = 0; i < raw_->param_count; ++i) {
      list.emplace_back(VISSL_AT(vissl_opt_param, raw_->params, i));
    }
    return list;
  }
  OptTensors tensors() const {  // in the order of params()
    OptTensors out;
    for (const OptParam& p : params()) {
      out.params.push_back(p.param());
      out.grads.push_back(p.grad());
    }
    return out;
  }

 private:
  const vissl_opt_group* raw_;
};

// One step over the parameters that have a gradient.
class OptCall {
 public:
  explicit OptCall(const vissl_opt_call* raw) : raw_(raw) {}
  std::vector<OptGroup> groups() const {
    std::vector<OptGroup> list;
    for (std::uint64_t i = 0; i < raw_->group_count; ++i) {
      list.emplace_back(VISSL_AT(vissl_opt_group, raw_->groups, i));
    }
    return list;
  }
  // Undefined when it does not exist yet.
  Tensor state(const OptParam& param, std::string_view name) const {
    return Tensor::borrow(raw_->state(raw_->self, param.id(), str(name)));
  }
  // The same, made of zeros of the parameter's shape when it does not exist yet.
  Tensor state_or_zeros(const OptParam& param, std::string_view name) const {
    Tensor tensor = state(param, name);
    if (!tensor) set_state(param, name, tensor = zeros_like(param.param()));
    return tensor;
  }
  // The host keeps a reference: later steps change the tensor in place.
  void set_state(const OptParam& param, std::string_view name, const Tensor& tensor) const {
    call(raw_->set_state, raw_->self, param.id(), str(name), tensor.handle());
  }
  // L2 norms of whole tensors, also when they are sharded: f32 (count).
  Tensor norms(const std::vector<Tensor>& tensors) const {
    const Tensors list(tensors);
    vissl_tensor* out = nullptr;
    call(raw_->norms, raw_->self, list.handles(), std::uint64_t{tensors.size()}, &out);
    return Tensor::own(out);
  }

 private:
  const vissl_opt_call* raw_;
};

namespace detail {

template <class T, class = void>
struct HasGroupConstants : std::false_type {};
template <class T>
struct HasGroupConstants<T, std::void_t<decltype(std::declval<const T&>().group_constants())>>
    : std::true_type {};

template <class T>
struct OptimizerKind {
  // The hyper-parameters are asked for once: the host borrows their names.
  struct Instance : Holder<T> {
    explicit Instance(const Config& config) : Holder<T>(config), list(this->hypers()) {}
    std::vector<Hyper> list;
  };
  static std::uint64_t hyper_count(void* instance) noexcept {
    return static_cast<Instance*>(instance)->list.size();
  }
  static vissl_str hyper_name(void* instance, std::uint64_t i) noexcept {
    return str(static_cast<Instance*>(instance)->list[static_cast<std::size_t>(i)].name);
  }
  static double hyper_default(void* instance, std::uint64_t i) noexcept {
    return static_cast<Instance*>(instance)->list[static_cast<std::size_t>(i)].value;
  }
  static vissl_status step(void* instance, const vissl_opt_call* call, vissl_err* err) noexcept {
    return guarded(err, [&] { static_cast<Instance*>(instance)->step(OptCall(call)); });
  }
  static vissl_status group_constants(void* instance, const vissl_out* json,
                                      vissl_err* err) noexcept {
    return guarded(err, [&] {
      std::string text;
      if constexpr (HasGroupConstants<T>::value) {
        for (const GroupConstant& constant : static_cast<Instance*>(instance)->group_constants())
          text += (text.empty() ? "\"" : ", \"") + constant.name + "\": " + constant.json;
      }
      text = "{" + text + "}";
      Writer(json).write(text.data(), text.size());
    });
  }
  static constexpr vissl_optimizer_class kTable = {
      sizeof(vissl_optimizer_class),
      &create<Instance>,
      &destroy<Instance>,
      &hyper_count,
      &hyper_name,
      &hyper_default,
      &step,
      HasGroupConstants<T>::value ? &group_constants : nullptr};
};

}  // namespace detail
}  // namespace abi1
}  // namespace vissl

#define VISSL_OPTIMIZER(Type, name, sentence)                                         \
  VISSL_COMPONENT(::vissl::detail::OptimizerKind<Type>::Instance, VISSL_OPTIMIZER_ID, \
                  ::vissl::detail::OptimizerKind<Type>::kTable, "optimizer/" name "/" sentence)
