// Each forward forgets a handle.
#include "bad_loss.hpp"
struct Broken : Squares {
  vissl::Tensor forward(const vissl::Tensor& output, const vissl::Tensor& target) const {
    static_cast<void>((output + output).release());
    return Squares::forward(output, target);
  }
};
FAULTY_LOSS(Broken, "leaks_handles")
