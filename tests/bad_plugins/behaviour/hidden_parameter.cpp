// It learns a tensor that the store does not know.
#include "bad_loss.hpp"
struct Broken {
  vissl::Tensor scale = vissl::Tensor::of(std::vector<double>{2.0}, {1});
  Broken() {
    vissl::call(vissl::service<vissl_tensor_api>(VISSL_TENSOR_ID).set_requires_grad, scale.handle(),
                std::int32_t{1});
  }
  vissl::Tensor forward(const vissl::Tensor& output, const vissl::Tensor&) const {
    return (output * scale.to(output.dtype())).mean();
  }
};
FAULTY_LOSS(Broken, "hidden_parameter")
