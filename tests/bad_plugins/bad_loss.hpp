#pragma once
// Losses that are right but for one line.
#include <vissl/loss.hpp>

// Registers a loss whose forward is the C function `function`, without the SDK's guard around it.
#define RAW_LOSS(Type, function, name)                                                      \
  static constexpr vissl_loss_class kRaw = [] {                                             \
    vissl_loss_class table = vissl::detail::LossKind<Type>::kTable;                         \
    table.forward = &function;                                                              \
    return table;                                                                           \
  }();                                                                                      \
  VISSL_COMPONENT(Type, VISSL_LOSS_ID, kRaw, "loss/" name "/Mean of squares, and a fault.") \
  VISSL_PLUGIN("org.example." name, "1.0.0")

#define FAULTY_LOSS(Type, name)                           \
  VISSL_LOSS(Type, name, "Mean of squares, and a fault.") \
  VISSL_PLUGIN("org.example." name, "1.0.0")

struct Squares {
  vissl::Tensor forward(const vissl::Tensor& output, const vissl::Tensor&) const {
    return (output * output).mean();
  }
};
