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
#include <vissl/optimizer.h>
#include <vissl/events.hpp>

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
  static constexpr vissl_optimizer_class kTable = {sizeof(vissl_optimizer_class),
                                                   &create<Instance>,
                                                   &destroy<Instance>,
                                                   &hyper_count,
                                                   &hyper_name,
                                                   &hyper_default,
                                                   &step};
};

}  // namespace detail
}  // namespace abi1
}  // namespace vissl

#define VISSL_OPTIMIZER(Type, name, sentence)                                         \
  VISSL_COMPONENT(::vissl::detail::OptimizerKind<Type>::Instance, VISSL_OPTIMIZER_ID, \
                  ::vissl::detail::OptimizerKind<Type>::kTable, "optimizer/" name "/" sentence)
