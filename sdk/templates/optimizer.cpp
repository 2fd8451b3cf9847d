// my_component: an optimizer. w <- w - lr m, with m <- momentum m + g. State tensors are the
// host's, under torch's names, so that checkpoints look like torch's.
#include <vissl/optimizer.hpp>
#include <vissl/plugin.hpp>

namespace {

struct MyComponent {
  double momentum;

  static void params(vissl::Params& p) {
    p.number("momentum", 0.9, vissl::between(0.0, 1.0), "Decay of the mean of gradients.");
  }
  explicit MyComponent(const vissl::Config& c) : momentum(c.number("momentum")) {}

  // What schedules and parameter groups may set; one without a default needs a schedule.
  std::vector<vissl::Hyper> hypers() const { return {{"lr"}, {"momentum", momentum}}; }

  void step(const vissl::OptCall& call) const {
    for (const vissl::OptGroup& group : call.groups()) {
      const double lr = group.hyper(0);  // in the order of hypers()
      for (const vissl::OptParam& p : group.params()) {
        vissl::Tensor mean = call.state(p, "momentum_buffer");
        if (mean) {
          mean.mul_(group.hyper(1)).add_(p.grad());
        } else {
          mean = p.grad().clone();
          call.set_state(p, "momentum_buffer", mean);
        }
        p.param().sub_(mean, lr);
      }
    }
  }
};

}  // namespace

VISSL_OPTIMIZER(MyComponent, "my_component", "Gradient descent with momentum.")
VISSL_PLUGIN("example.my_component", "0.1.0")
