// An exception leaves its forward, which is a plain C function.
#include <stdexcept>

#include "bad_loss.hpp"
static vissl_status forward(void*, vissl_run*, vissl_tensor* const*, std::uint64_t, vissl_tensor*,
                            vissl_tensor**, vissl_err*) {
  throw std::runtime_error("no such row");
}
RAW_LOSS(Squares, forward, "throws_in_forward")
