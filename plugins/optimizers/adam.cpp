// Adam (arXiv:1412.6980) and AdamW (arXiv:1711.05101) as torch.optim computes them:
//   m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;
//   p -= lr / (1 - b1^t) m / (sqrt(v) / sqrt(1 - b2^t) + eps)
// adam adds w p to the gradient first, adamw scales p by 1 - lr w instead. amsgrad takes the
// largest v so far.
//
// State: step (f32 scalar), exp_avg, exp_avg_sq[, max_exp_avg_sq].
#include <vissl/optimizer.hpp>
#include <vissl/plugin.hpp>

#include <cmath>
#include <string>
#include <vector>

using namespace vissl;

namespace {

template <bool kDecoupled>
class AdamFamily {
 public:
  static void params(Params& p) {
    p.vissl_prefix("OPTIMIZER");
    p.numbers("betas", {0.9, 0.999}, at_least(0.0).below(1.0),
              "Shares of the old averages of gradients and of their squares.");
    p.number("eps", 1e-8, at_least(0.0), "Added to the denominator.");
    p.number("weight_decay", 1e-4, at_least(0.0),
             kDecoupled ? "Share of a parameter that a step takes away, times lr."
                        : "Times the parameter, added to its gradient.");
    p.boolean("amsgrad", false, "Divides by the largest average so far.");
  }
  explicit AdamFamily(const Config& c)
      : eps_(c.number("eps")),
        weight_decay_(c.number("weight_decay")),
        amsgrad_(c.boolean("amsgrad")) {
    const std::vector<double> betas = c.numbers("betas");
    if (betas.size() != 2) {
      fail(VISSL_E_CONFIG, "'betas' needs two numbers, e.g. [0.9, 0.999]");
    }
    beta1_ = betas[0];
    beta2_ = betas[1];
  }

  std::vector<Hyper> hypers() const { return {{"lr"}, {"weight_decay", weight_decay_}}; }

  std::vector<GroupConstant> group_constants() const {
    return {{"betas", std::vector<double>{beta1_, beta2_}},
            {"eps", eps_},
            {"amsgrad", amsgrad_},
            {"maximize", false},
            {"foreach", nullptr},
            {"capturable", false},
            {"differentiable", false},
            {"fused", nullptr},
            {"decoupled_weight_decay", kDecoupled}};
  }

  void step(const OptCall& call) const {
    for (const OptGroup& group : call.groups()) {
      if (!group.params().empty()) step(call, group);
    }
  }

 private:
  struct State {
    std::vector<Tensor> params, grads, average, square, largest;
    std::vector<double> steps;
  };

  State state_of(const OptCall& call, const OptGroup& group) const {
    State s;
    auto [params, grads] = group.tensors();
    s.params = std::move(params);
    s.grads = std::move(grads);
    for (const OptParam& p : group.params()) {
      Tensor step = call.state(p, "step");
      if (!step) call.set_state(p, "step", step = zeros(std::vector<std::int64_t>{}, Dtype::f32));
      step.add_(1);
      s.steps.push_back(step.item<double>());
      s.average.push_back(call.state_or_zeros(p, "exp_avg"));
      s.square.push_back(call.state_or_zeros(p, "exp_avg_sq"));
      if (amsgrad_) s.largest.push_back(call.state_or_zeros(p, "max_exp_avg_sq"));
    }
    return s;
  }

  void step(const OptCall& call, const OptGroup& group) const {
    const double lr = group.hyper(0), decay = group.hyper(1);
    State s = state_of(call, group);
    if (decay != 0.0) {
      if (kDecoupled) {
        _foreach_mul_(s.params, 1.0 - lr * decay);
      } else {
        s.grads = _foreach_add(s.grads, s.params, decay);
      }
    }
    _foreach_lerp_(s.average, s.grads, 1.0 - beta1_);
    _foreach_mul_(s.square, beta2_);
    _foreach_addcmul_(s.square, s.grads, s.grads, 1.0 - beta2_);
    for (std::size_t i = 0; i < s.largest.size(); ++i) {
      s.largest[i].copy_(maximum(s.largest[i], s.square[i]));
    }
    std::vector<double> root, rate;  // per parameter: one that was frozen has fewer steps
    for (const double t : s.steps) {
      root.push_back(std::sqrt(1.0 - std::pow(beta2_, t)));
      rate.push_back(-(lr / (1.0 - std::pow(beta1_, t))));
    }
    const std::vector<Tensor> denominator = _foreach_sqrt(amsgrad_ ? s.largest : s.square);
    _foreach_div_(denominator, root);
    _foreach_add_(denominator, eps_);
    _foreach_addcdiv_(s.params, s.average, denominator, rate);
  }

  double beta1_ = 0.0, beta2_ = 0.0, eps_, weight_decay_;
  bool amsgrad_;
};

using Adam = AdamFamily<false>;
using AdamW = AdamFamily<true>;

}  // namespace

VISSL_OPTIMIZER(Adam, "adam", "Adam with weight decay added to the gradient.")
VISSL_OPTIMIZER(AdamW, "adamw", "Adam with weight decay of its own.")
VISSL_PLUGIN("org.vissl.optimizers.adam", "1.0.0")
