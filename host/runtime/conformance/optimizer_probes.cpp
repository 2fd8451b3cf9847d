// Optimizers: a step on two small parameters, with the host's part of it.
#include <vissl/optimizer.h>

#include <cmath>
#include <map>

#include "host/runtime/abi/guard.hpp"
#include "host/runtime/abi/handle.hpp"
#include "host/runtime/conformance/model_probes.hpp"
#include "host/runtime/conformance/rig.hpp"

namespace vissl::host {
namespace {

constexpr Outcome kFail = Outcome::fail;

// Parameters, gradients and state of an optimizer that trains a matrix and a bias.
class Training {
 public:
  Training(Catalogue& catalogue, const ProbeRequest& request)
      : instance_(enter("create",
                        [&] { return catalogue.create(request.kind, request.configs.front()); })) {
    params_ = {wave({3, 4}, 0.4, at::kFloat), wave({4}, 1.1, at::kFloat)};
    const auto& table = instance_->as<vissl_optimizer_class>();
    const std::uint64_t count =
        enter("hyper_count", [&] { return table.hyper_count(instance_->self()); });
    for (std::uint64_t i = 0; i < count; ++i) {
      names_.push_back(
          text(enter("hyper_name", [&] { return table.hyper_name(instance_->self(), i); })));
      const double value =
          enter("hyper_default", [&] { return table.hyper_default(instance_->self(), i); });
      hyper_.push_back(std::isnan(value) ? 0.1 : value);
    }
    if (names_.empty() || names_.front() != "lr")
      judge_wrong("its first hyper-parameter is not 'lr', which schedules set");
    hyper_[0] = 0.1;
  }

  void set_lr(double lr) { hyper_[0] = lr; }
  void set_hyper(double value) { hyper_.assign(hyper_.size(), value); }
  void take_from(const Training& other) {
    for (std::size_t i = 0; i < params_.size(); ++i) params_[i] = other.params_[i].clone();
    state_.clear();
    for (const auto& [key, value] : other.state_) state_[key] = value.clone();
  }
  std::vector<at::Tensor> values() const {
    std::vector<at::Tensor> out;
    for (const at::Tensor& param : params_) out.push_back(param.clone());
    return out;
  }
  void zero_params() {
    for (at::Tensor& param : params_) param.zero_();
  }

  // `phase` chooses the gradients; NaN = zeros.
  void step(double phase) {
    at::NoGradGuard no_grad;
    std::vector<at::Tensor> grads;
    for (const at::Tensor& param : params_)
      grads.push_back(std::isnan(phase) ? at::zeros_like(param)
                                        : wave(param.sizes(), phase, at::kFloat));
    const std::vector<at::Tensor> given = {grads[0].clone(), grads[1].clone()};
    const std::string first = "trunk.a.weight", second = "trunk.a.bias", group_name = "all";
    std::vector<vissl_opt_param> params;
    for (std::size_t i = 0; i < params_.size(); ++i) {
      const std::string& name = i == 0 ? first : second;
      params.push_back({sizeof(vissl_opt_param),
                        {name.data(), name.size()},
                        borrow(params_[i]),
                        borrow(grads[i]),
                        i == 0 ? VISSL_ROLE_WEIGHT : VISSL_ROLE_BIAS,
                        VISSL_MODULE_LINEAR,
                        0,
                        -1,
                        i});
    }
    const vissl_opt_group group{sizeof(vissl_opt_group),
                                {group_name.data(), group_name.size()},
                                params.data(),
                                params.size(),
                                hyper_.data()};
    const vissl_opt_call call{sizeof(vissl_opt_call), &group,          1, this, &Training::state,
                              &Training::set_state,   &Training::norms};
    must("step", [&](vissl_err* err) {
      return instance_->as<vissl_optimizer_class>().step(instance_->self(), &call, err);
    });
    if (const std::string what = difference(given, grads); !what.empty())
      judge_wrong("step changes the gradients, which hooks read after it");
  }

 private:
  static vissl_tensor* state(void* self, std::uint64_t param, vissl_str name) {
    auto& to = *static_cast<Training*>(self);
    const auto found = to.state_.find({param, text(name)});
    return found == to.state_.end() ? nullptr : borrow(found->second);
  }
  static vissl_status set_state(void* self, std::uint64_t param, vissl_str name, vissl_tensor* t,
                                vissl_err* err) {
    return guarded(err, [&] {
      static_cast<Training*>(self)->state_[{param, text(name)}] = unwrap(t);
    });
  }
  static vissl_status norms(void*, vissl_tensor* const* tensors, std::uint64_t count,
                            vissl_tensor** out, vissl_err* err) {
    return guarded(err, [&] {
      std::vector<at::Tensor> all;
      for (std::uint64_t i = 0; i < count; ++i) all.push_back(unwrap(tensors[i]).norm());
      *out = wrap(all.empty() ? at::empty({0}) : at::stack(all));
    });
  }

  std::unique_ptr<Instance> instance_;
  std::vector<std::string> names_;
  std::vector<double> hyper_;
  std::vector<at::Tensor> params_;
  std::map<std::pair<std::uint64_t, std::string>, at::Tensor> state_;
};

}  // namespace

Verdict probe_optimizer(Catalogue& catalogue, const ProbeRequest& request) {
  Training training(catalogue, request), same(catalogue, request);
  const auto before = training.values();
  for (int i = 0; i < 3; ++i) training.step(i), same.step(i);
  if (difference(before, training.values()).empty())
    return {kFail, "three steps change no parameter"};
  if (const std::string what = difference(training.values(), same.values()); !what.empty())
    return {kFail, "two instances train differently on the same gradients: " + what};
  const std::int64_t owned = Ledger::current()->owned();
  for (int i = 0; i < 3; ++i) training.step(i);
  if (Ledger::current()->owned() > owned)
    return {kFail, "leaks handles in each step; release every handle that a call returned"};
  if (const std::string fault = Ledger::current()->take_fault(); !fault.empty())
    return {kFail, "step " + fault};
  return {};
}

Verdict probe_optimizer_state(Catalogue& catalogue, const ProbeRequest& request) {
  Training training(catalogue, request);
  for (int i = 0; i < 3; ++i) training.step(i);
  Training resumed(catalogue, request);
  resumed.take_from(training);
  for (int i = 3; i < 5; ++i) training.step(i), resumed.step(i);
  if (const std::string what = difference(training.values(), resumed.values()); !what.empty())
    return {kFail,
            "a fresh instance with the same parameters and state tensors goes on "
            "differently: " +
                what + "; keep all state through set_state"};
  return {};
}

Verdict probe_optimizer_zero(Catalogue& catalogue, const ProbeRequest& request) {
  Training training(catalogue, request);
  training.zero_params();
  for (int i = 0; i < 3; ++i) training.step(std::nan(""));
  for (const at::Tensor& param : training.values())
    if (!at::isfinite(param).all().item<bool>())
      return {kFail,
              "zero gradients of zero parameters give values that are not finite; guard the "
              "divisions"};
  Training still(catalogue, request);
  still.step(0.0);
  const auto before = still.values();
  still.set_lr(0.0);
  still.step(1.0);
  if (const std::string what = difference(before, still.values()); !what.empty())
    return {kFail, "changes parameters although the learning rate is 0: " + what};
  return {};
}

}  // namespace vissl::host
