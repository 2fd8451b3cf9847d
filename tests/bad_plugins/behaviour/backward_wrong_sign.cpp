// Its own backward pass has the wrong sign.
#include <vissl/autograd.hpp>

#include "bad_loss.hpp"
struct SquareSum : vissl::Function {
  std::vector<vissl::Tensor> forward(const std::vector<vissl::Tensor>& in,
                                     std::vector<vissl::Tensor>& saved) override {
    saved.push_back(in[0]);
    return {(in[0] * in[0]).sum()};
  }
  std::vector<vissl::Tensor> backward(const std::vector<vissl::Tensor>& saved,
                                      const std::vector<vissl::Tensor>& grads) override {
    return {saved[0] * grads[0] * -2.0};
  }
};
struct Broken {
  vissl::Tensor forward(const vissl::Tensor& output, const vissl::Tensor&) const {
    return vissl::apply(std::make_unique<SquareSum>(), "SquareSum", {output}, 1)[0];
  }
};
FAULTY_LOSS(Broken, "backward_wrong_sign")
