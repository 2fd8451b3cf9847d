// SGD with momentum and weight decay, with state of the host's and constants of its groups.
#include <vissl/optimizer.hpp>
#include <vissl/plugin.hpp>

#include <vector>

using namespace vissl;

namespace {

class Momentum {
 public:
  static void params(Params& p) {
    p.number("momentum", 0.9, between(0.0, 1.0), "Share of the last update that is kept.");
  }
  explicit Momentum(const Config& c) : momentum_(c.number("momentum")) {}
  std::vector<Hyper> hypers() const {
    return {{"lr"}, {"weight_decay", 1e-4}, {"momentum", momentum_}};
  }
  std::vector<GroupConstant> group_constants() const {
    return {{"dampening", 0}, {"nesterov", false}, {"foreach", nullptr}};
  }
  void step(const OptCall& call) const {
    for (const OptGroup& group : call.groups()) {
      for (const OptParam& p : group.params()) {
        const Tensor grad = p.grad() + p.param() * group.hyper(1);
        Tensor buffer = call.state(p, "momentum_buffer");
        if (buffer) {
          buffer.mul_(group.hyper(2)).add_(grad);
        } else {
          buffer = grad.clone();
          call.set_state(p, "momentum_buffer", buffer);
        }
        p.param().sub_(buffer, group.hyper(0));
      }
    }
  }

 private:
  double momentum_;
};

}  // namespace

VISSL_OPTIMIZER(Momentum, "golden_momentum", "Gradient descent with momentum.")
VISSL_PLUGIN("org.vissl.golden.optimizer", "1.0.0")
