// An own backward with saved tensors, inside a loss that has a parameter of its own.
#include <vissl/autograd.hpp>
#include <vissl/loss.hpp>
#include <vissl/plugin.hpp>

#include <memory>

#include "spike.hpp"

using namespace vissl;
using namespace spike;

namespace {

// y = x * w, with dy/dx turned round: what an adversarial branch does.
struct Reversed : Function {
  double strength;
  explicit Reversed(double s) : strength(s) {}
  std::vector<Tensor> forward(const std::vector<Tensor>& in, std::vector<Tensor>& saved) override {
    saved = {in[0], in[1]};
    return {in[0] * in[1]};
  }
  std::vector<Tensor> backward(const std::vector<Tensor>& saved,
                               const std::vector<Tensor>& g) override {
    return {g[0] * saved[1] * -strength, (g[0] * saved[0]).sum(Ints(0))};
  }
};

class Scaled {
 public:
  static constexpr auto events = event_mask(Event::backward, Event::update, Event::end);

  void build(const nn::Scope& store) { scale_ = store.param("scale", {4}, nn::Init::ones()); }

  Tensor forward(const Tensor& outputs, const Tensor&) {
    rows_ = outputs.detach().clone();
    return apply(std::make_unique<Reversed>(0.25), "Reversed", {outputs, scale_}, 1)[0]
        .pow(2)
        .mean();
  }

  void on_event(Event event, Run& run) {
    if (event == Event::end) return report(run);
    const NoGrad off;
    bool found = false;
    for (const Param& p : run.params()) {
      found = found || p.name == "loss.scale";
      if (p.name == "loss.scale" && event == Event::backward) {
        before_ = p.tensor.clone();
        const Tensor wanted =
            mean_over_ranks((rows_ * rows_ * before_ * (2.0 / numel())).sum(Ints(0)));
        expect_close(run.grad(p), wanted, 1e-6, "the loss's own parameter has its gradient");
        expect_equal_on_ranks(run.grad(p), "gradients of the loss's parameter are reduced");
      }
      if (p.name == "heads.0.clf.0.bias" && event == Event::backward) {
        const Tensor wanted = mean_over_ranks(
            (rows_ * scale_.detach().pow(2) * (2.0 * -0.25 / numel())).sum(Ints(0)));
        expect_close(run.grad(p), wanted, 1e-6, "the model's gradient is turned round");
      }
      if (p.name == "loss.scale" && event == Event::update)
        expect(distance(p.tensor, before_) > 0, "the optimizer trains the loss's parameter");
    }
    expect(found, "the loss's parameters are listed");
  }

 private:
  double numel() const { return static_cast<double>(rows_.numel()); }
  static Tensor mean_over_ranks(const Tensor& t) {
    Collectives().all_reduce(t, Reduce::mean);
    return t;
  }
  Tensor scale_, rows_, before_;
};

}  // namespace

VISSL_LOSS(Scaled, "spike_custom_backward", "An own backward and an own parameter.")
VISSL_PLUGIN("org.vissl.spikes.custom_backward", "1.0.0")
