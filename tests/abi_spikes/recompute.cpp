// What recomputation must not change: statistics advance once per pass of a resolution, and
// gradients stay what they are. A test compares the gradient's norm with that of a run without
// recomputation.
#include <vissl/blocks.hpp>
#include <vissl/hook.hpp>
#include <vissl/plugin.hpp>

#include <string>

#include "spike.hpp"

using namespace vissl;
using namespace spike;

namespace {

class Recompute {
 public:
  static constexpr auto events = event_mask(Event::backward, Event::end);

  void on_event(Event event, Run& run) {
    if (event == Event::end) {
      run.summary("first_runs", first_);
      run.summary("second_runs", second_);
      run.summary("single_runs", single_);
      return report(run);
    }
    const std::int64_t step = run.counters().iteration;
    for (const nn::Stored& entry : run.model().store().entries()) {
      if (entry.name.find("num_batches_tracked") == std::string::npos) continue;
      expect(entry.tensor.item<std::int64_t>() == 2 * (step + 1),
             "statistics advance once per resolution: " + entry.name);
    }
    double sum = 0;
    for (const Param& p : run.params())
      if (const Tensor grad = run.grad(p)) sum += (grad * grad).sum().item<double>();
    run.summary("grad_norm_" + std::to_string(step), sum);
  }
  void enter_block(const Block& block) {
    ++(block.in_backward() ? second_ : block.first_of_two() ? first_ : single_);
  }
  void leave_block(const Block&) {}

 private:
  int first_ = 0, second_ = 0, single_ = 0;
};

}  // namespace

VISSL_HOOK(Recompute, "spike_recompute", "Counts blocks and measures gradients.")
VISSL_PLUGIN("org.vissl.spikes.recompute", "1.0.0")
