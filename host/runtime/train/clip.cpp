#include "host/runtime/train/clip.hpp"

#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <torch/csrc/autograd/grad_mode.h>

namespace vissl::host {

double clip_gradients(const std::vector<Entry*>& parameters, double max_norm, double norm_type) {
  const torch::autograd::AutoGradMode no_grad(false);
  std::vector<at::Tensor> grads;
  for (Entry* e : parameters) {
    if (e->tensor.grad().defined()) grads.push_back(e->tensor.grad());
  }
  if (grads.empty()) return 0.0;
  const at::Tensor total =
      at::linalg_vector_norm(at::stack(at::_foreach_norm(grads, norm_type)), norm_type);
  // As Python divides a number by a tensor; C++'s operator rounds once and differs in the last bit.
  const at::Tensor factor = ((total + 1e-6).reciprocal() * max_norm).clamp_max(1.0);
  at::_foreach_mul_(grads, factor);
  return total.item<double>();
}

}  // namespace vissl::host
