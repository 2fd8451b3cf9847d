// Its forward returns a handle that it has released.
#include "bad_loss.hpp"
static vissl_status forward(void*, vissl_run*, vissl_tensor* const* outputs, std::uint64_t,
                            vissl_tensor*, vissl_tensor** loss, vissl_err*) {
  const auto& api = vissl::service<vissl_tensor_api>(VISSL_TENSOR_ID);
  *loss = vissl::Tensor::borrow(outputs[0]).mean().release();
  api.release(*loss);
  return VISSL_OK;
}
RAW_LOSS(Squares, forward, "returns_released")
