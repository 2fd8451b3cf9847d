// LARS (arXiv:1708.03888) as Barlow Twins and VISSL use it: for parameter p with gradient g
//   d = g + w p;  d *= eta |p| / |d| where both norms are above 0;  mu = momentum mu + d;
//   p -= lr mu
// exclude_bias_and_norm leaves the trust ratio of parameters with one dimension at 1; their weight
// decay is the groups' affair.
//
// State: mu.
#include <vissl/optimizer.hpp>
#include <vissl/plugin.hpp>

#include <string>
#include <vector>

using namespace vissl;

namespace {

class Lars {
 public:
  static void params(Params& p) {
    p.vissl_prefix("OPTIMIZER");
    p.number("momentum", 0.9, at_least(0.0).below(1.0), "Share of the last update that is kept.");
    p.number("weight_decay", 1e-4, at_least(0.0), "Times the parameter, added to its gradient.");
    p.number("eta", 1e-3, above(0.0), "Trust coefficient: length of an update per unit of lr.");
    p.boolean("exclude_bias_and_norm", false,
              "Parameters with one dimension take part without a trust ratio.");
  }
  explicit Lars(const Config& c)
      : momentum_(c.number("momentum")),
        weight_decay_(c.number("weight_decay")),
        eta_(c.number("eta")),
        exclude_(c.boolean("exclude_bias_and_norm")) {}

  std::vector<Hyper> hypers() const {
    return {{"lr"}, {"weight_decay", weight_decay_}, {"momentum", momentum_}};
  }

  void step(const OptCall& call) const {
    for (const OptGroup& group : call.groups()) {
      const auto [params, grads] = group.tensors();
      if (params.empty()) continue;
      const double lr = group.hyper(0), decay = group.hyper(1), momentum = group.hyper(2);
      std::vector<Tensor> buffers;
      for (const OptParam& p : group.params()) buffers.push_back(call.state_or_zeros(p, "mu"));
      std::vector<Tensor> updates = _foreach_add(grads, params, decay);
      _foreach_mul_(updates, trust(call, params, updates));
      _foreach_mul_(buffers, momentum);
      _foreach_add_(buffers, updates);
      _foreach_add_(params, buffers, -lr);
    }
  }

 private:
  // The trust ratio of each parameter.
  std::vector<double> trust(const OptCall& call, const std::vector<Tensor>& params,
                            const std::vector<Tensor>& updates) const {
    const Tensor p = call.norms(params), d = call.norms(updates);  // f32 (count)
    const Tensor both = logical_and(p.gt(0), d.gt(0));
    std::vector<double> ratio = where(both, p * eta_ / d, ones_like(p)).to_vector<double>();
    for (std::size_t i = 0; exclude_ && i < params.size(); ++i) {
      if (params[i].dim() == 1) ratio[i] = 1.0;
    }
    return ratio;
  }

  double momentum_, weight_decay_, eta_;
  bool exclude_;
};

}  // namespace

VISSL_OPTIMIZER(Lars, "lars", "Layer-wise rates with momentum, for large batches.")
VISSL_PLUGIN("org.vissl.optimizers.lars", "1.0.0")
