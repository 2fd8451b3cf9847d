// What it learnt from its first batch is in no checkpoint.
#include <optional>

#include "bad_loss.hpp"
struct Broken : Squares {
  mutable std::optional<double> first;
  vissl::Tensor forward(const vissl::Tensor& output, const vissl::Tensor& target) const {
    if (!first) first = output.detach().abs().max().item<double>();
    return Squares::forward(output, target) / *first;
  }
};
FAULTY_LOSS(Broken, "hides_state")
