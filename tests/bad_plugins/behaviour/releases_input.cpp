// Its forward releases a borrowed input.
#include "bad_loss.hpp"
static vissl_status forward(void*, vissl_run*, vissl_tensor* const* outputs, std::uint64_t,
                            vissl_tensor*, vissl_tensor** loss, vissl_err*) {
  *loss = vissl::Tensor::borrow(outputs[0]).mean().release();
  vissl::service<vissl_tensor_api>(VISSL_TENSOR_ID).release(outputs[0]);
  return VISSL_OK;
}
RAW_LOSS(Squares, forward, "releases_input")
