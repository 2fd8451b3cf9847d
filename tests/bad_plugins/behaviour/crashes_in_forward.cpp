// Its forward writes through a null pointer.
#include "bad_loss.hpp"
static vissl_status forward(void* instance, vissl_run*, vissl_tensor* const*, std::uint64_t,
                            vissl_tensor*, vissl_tensor**, vissl_err*) {
  volatile int* nowhere = instance != nullptr ? nullptr : static_cast<volatile int*>(instance);
  *nowhere = 1;
  return VISSL_OK;
}
RAW_LOSS(Squares, forward, "crashes_in_forward")
