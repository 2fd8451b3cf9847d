// Stochastic gradient descent with momentum as torch.optim.SGD computes it, weight decay coupled:
//   d = g + w p;  m = momentum m + d (first step: m = d);  p -= lr (nesterov ? d + momentum m : m)
// With `larc`, layer-wise rates come first (arXiv:1708.03888, apex's LARC): for |p|, |g| > 0
//   a = trust |p| / (|g| + w |p| + eps), clip: a = min(a / lr, 1);  d = (g + w p) a
// and a parameter or gradient of norm zero keeps d = g, without weight decay, as apex does.
//
// State: momentum_buffer.
#include <vissl/optimizer.hpp>
#include <vissl/plugin.hpp>

#include <cstdint>
#include <string>
#include <vector>

using namespace vissl;

namespace {

struct Larc {
  bool on = false, clip = false;
  double eps = 1e-8, trust = 1e-3;

  Larc() = default;
  explicit Larc(const Config& c) : on(true) {
    for (std::uint64_t i = 0; i < c.size(); ++i) {
      const std::string key = c.key(i);
      if (key == "clip") {
        clip = c.boolean(key);
      } else if (key == "eps") {
        eps = c.number(key);
      } else if (key == "trust_coefficient") {
        trust = c.number(key);
      } else {
        fail(VISSL_E_CONFIG, c.at(i).where() + ": unknown key '" + key + "' in larc of sgd; it " +
                                 "has clip, eps and trust_coefficient");
      }
    }
  }
};

class Sgd {
 public:
  static void params(Params& p) {
    p.vissl_prefix("OPTIMIZER");
    p.number("momentum", 0.9, at_least(0.0).below(1.0), "Share of the last update that is kept.");
    p.number("weight_decay", 1e-4, at_least(0.0), "Times the parameter, added to its gradient.");
    p.boolean("nesterov", false, "Looks one step of momentum ahead; needs momentum above 0.");
    p.table("larc", optional,
            "Layer-wise adaptive rates: { clip = false, eps = 1e-8, trust_coefficient = 0.001 }.")
        .vissl("OPTIMIZER.larc_config");
  }
  explicit Sgd(const Config& c)
      : momentum_(c.number("momentum")),
        weight_decay_(c.number("weight_decay")),
        nesterov_(c.boolean("nesterov")) {
    if (c.has("larc")) larc_ = Larc(c.table("larc"));
    if (nesterov_ && momentum_ == 0.0) {
      fail(VISSL_E_CONFIG, "'nesterov' of sgd needs a momentum above 0");
    }
  }

  std::vector<Hyper> hypers() const {
    return {{"lr"}, {"weight_decay", weight_decay_}, {"momentum", momentum_}};
  }

  std::vector<GroupConstant> group_constants() const {
    return {{"dampening", 0},     {"nesterov", nesterov_},   {"maximize", false},
            {"foreach", nullptr}, {"differentiable", false}, {"fused", nullptr}};
  }

  void step(const OptCall& call) const {
    for (const OptGroup& group : call.groups()) {
      const std::vector<OptParam> members = group.params();
      if (members.empty()) continue;
      const double lr = group.hyper(0), decay = group.hyper(1), momentum = group.hyper(2);
      auto [params, grads] = group.tensors();
      if (larc_.on) {
        grads = layer_wise(call, params, std::move(grads), lr, decay);
      } else if (decay != 0.0) {
        grads = _foreach_add(grads, params, decay);
      }
      if (momentum != 0.0) grads = with_momentum(call, members, std::move(grads), momentum);
      _foreach_add_(params, grads, -lr);
    }
  }

 private:
  // The gradients with weight decay, scaled by each parameter's rate.
  std::vector<Tensor> layer_wise(const OptCall& call, const std::vector<Tensor>& params,
                                 std::vector<Tensor> grads, double lr, double decay) const {
    const Tensor p = call.norms(params), g = call.norms(grads);  // f32 (count)
    Tensor rate = p * larc_.trust / (g + p * decay + larc_.eps);
    if (larc_.clip) rate = (rate / lr).clamp_max(1.0);
    const std::vector<float> rates = rate.to_vector<float>();
    const std::vector<float> p_norms = p.to_vector<float>(), g_norms = g.to_vector<float>();
    std::vector<Tensor> scaled, weights, plain;
    std::vector<double> factors;
    std::vector<std::size_t> at;
    for (std::size_t i = 0; i < params.size(); ++i) {
      if (p_norms[i] == 0.0f || g_norms[i] == 0.0f) continue;
      weights.push_back(params[i]);
      plain.push_back(grads[i]);
      factors.push_back(static_cast<double>(rates[i]));
      at.push_back(i);
    }
    if (at.empty()) return grads;
    scaled = _foreach_mul(weights, decay);
    _foreach_add_(scaled, plain);
    _foreach_mul_(scaled, factors);
    for (std::size_t k = 0; k < at.size(); ++k) grads[at[k]] = scaled[k];
    return grads;
  }

  std::vector<Tensor> with_momentum(const OptCall& call, const std::vector<OptParam>& members,
                                    std::vector<Tensor> grads, double momentum) const {
    std::vector<Tensor> buffers, old_buffers, old_grads;
    for (std::size_t i = 0; i < members.size(); ++i) {
      Tensor buffer = call.state(members[i], "momentum_buffer");
      if (buffer) {
        old_buffers.push_back(buffer);
        old_grads.push_back(grads[i]);
      } else {
        buffer = grads[i].clone();
        call.set_state(members[i], "momentum_buffer", buffer);
      }
      buffers.push_back(buffer);
    }
    if (!old_buffers.empty()) {
      _foreach_mul_(old_buffers, momentum);
      _foreach_add_(old_buffers, old_grads);
    }
    return nesterov_ ? _foreach_add(grads, buffers, momentum) : buffers;
  }

  double momentum_, weight_decay_;
  bool nesterov_;
  Larc larc_;
};

}  // namespace

VISSL_OPTIMIZER(Sgd, "sgd", "Gradient descent with momentum, optionally with layer-wise rates.")
VISSL_PLUGIN("org.vissl.optimizers.sgd", "1.0.0")
