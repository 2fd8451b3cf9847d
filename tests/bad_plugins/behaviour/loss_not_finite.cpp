// It takes the logarithm of what may be negative.
#include "bad_loss.hpp"
struct Broken : Squares {
  vissl::Tensor forward(const vissl::Tensor& output, const vissl::Tensor&) const {
    return output.log().mean();
  }
};
FAULTY_LOSS(Broken, "loss_not_finite")
