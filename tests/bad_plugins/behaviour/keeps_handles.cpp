// What its first batch brought outlives it.
#include "bad_loss.hpp"
struct Broken : Squares {
  mutable bool has_met_a_batch = false;
  vissl::Tensor forward(const vissl::Tensor& output, const vissl::Tensor& target) const {
    if (!has_met_a_batch) static_cast<void>((output + output).release());
    has_met_a_batch = true;
    return Squares::forward(output, target);
  }
};
FAULTY_LOSS(Broken, "keeps_handles")
