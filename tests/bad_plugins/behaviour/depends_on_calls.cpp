// Its result depends on how often it was called.
#include "bad_loss.hpp"
struct Broken : Squares {
  mutable double calls = 0;
  vissl::Tensor forward(const vissl::Tensor& output, const vissl::Tensor& target) const {
    return Squares::forward(output, target) * (1.0 / ++calls);
  }
};
FAULTY_LOSS(Broken, "depends_on_calls")
