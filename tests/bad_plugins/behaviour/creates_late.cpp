// It creates a buffer in forward.
#include <optional>

#include "bad_loss.hpp"
struct Broken : Squares {
  mutable std::optional<vissl::nn::Scope> scope;
  void build(const vissl::nn::Scope& store) { scope = store; }
  vissl::Tensor forward(const vissl::Tensor& output, const vissl::Tensor& target) const {
    scope->buffer("late", {1}, vissl::nn::Init::zeros());
    return Squares::forward(output, target);
  }
};
FAULTY_LOSS(Broken, "creates_late")
