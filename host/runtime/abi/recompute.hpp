#pragma once
// Activation checkpointing: a block keeps its inputs only and runs again in the backward pass.
#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

namespace vissl::host {

// outputs = block(inputs); repeatable, its parameters are leaves that it holds itself.
using Block = std::function<std::vector<at::Tensor>(const std::vector<at::Tensor>&)>;

// Runs the block `name` between its listeners (blocks.hpp). With forward_mode().recompute and grad
// mode on, only the inputs stay in memory: in backward the block runs again under the random state,
// autocast and batch-norm statistics of the first run, and its parameters' gradients are
// accumulated there. A block inside a block belongs to the outer one.
std::vector<at::Tensor> run_block(std::string name, Block block, std::vector<at::Tensor> inputs);

}  // namespace vissl::host
