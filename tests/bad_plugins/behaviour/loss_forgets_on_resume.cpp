// Its temperature follows a counter that no checkpoint holds.
#include "twin_loss.hpp"
struct Broken : Twin {
  int steps = 0;
  vissl::Tensor forward(const vissl::Tensor& output, const vissl::Tensor& label) {
    return Twin::forward(output * (1.0 + 0.1 * ++steps), label);
  }
};
TWIN_LOSS(Broken, "loss_forgets_on_resume", "Gets sharper with each step.")
