// It turns grad mode off and does not turn it on again.
#include "bad_loss.hpp"
struct Broken : Squares {
  vissl::Tensor forward(const vissl::Tensor& output, const vissl::Tensor& target) const {
    const vissl::Tensor loss = Squares::forward(output, target);
    vissl::service<vissl_tensor_api>(VISSL_TENSOR_ID).set_grad_enabled(0);
    return loss;
  }
};
FAULTY_LOSS(Broken, "changes_grad_mode")
