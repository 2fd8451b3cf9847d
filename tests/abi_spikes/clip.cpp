// Gradient clipping: gradients come unscaled and averaged over the ranks, whatever the loss scale;
// and a hyper-parameter that a hook scales.
#include <vissl/hook.hpp>
#include <vissl/plugin.hpp>

#include <cmath>

#include "spike.hpp"

using namespace vissl;
using namespace spike;

namespace {

struct Clip {
  static constexpr auto events =
      event_mask(Event::start, Event::backward, Event::update, Event::end);
  static constexpr double kLimit = 0.01;

  static double norm(const Run& run) {
    double sum = 0;
    for (const Param& p : run.params()) {
      const Tensor grad = run.grad(p);
      if (!grad) continue;
      sum += std::pow(linalg_vector_norm(grad.to(Dtype::f64), 2).item<double>(), 2);
    }
    return std::sqrt(sum);
  }

  void on_event(Event event, Run& run) const {
    if (event == Event::start) return run.scale_hyper("lr", 0.5);
    if (event == Event::end) return report(run);
    if (event == Event::update) {
      expect(std::abs(run.hyper("lr").at(0) - 0.01) < 1e-12, "the step had half of the rate 0.02");
      return;
    }
    if (!std::isfinite(norm(run))) return;  // a loss scale that is too large: the step is left out
    const double before = norm(run), told = run.clip_grads(kLimit), after = norm(run);
    expect(before > kLimit && before < 1e4, "gradients are unscaled, and too long for this test");
    expect(std::abs(told - before) <= 1e-4 * before, "clip_grads tells the norm before");
    expect(std::abs(after - kLimit) < 1e-4 * kLimit, "gradients have the wanted norm");
    for (const Param& p : run.params())
      if (const Tensor grad = run.grad(p)) expect_equal_on_ranks(grad, "gradients are reduced");
  }
};

}  // namespace

VISSL_HOOK(Clip, "spike_clip", "Clips gradients and halves the learning rate.")
VISSL_PLUGIN("org.vissl.spikes.clip", "1.0.0")
