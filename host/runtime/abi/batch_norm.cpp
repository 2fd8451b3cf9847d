#include "host/runtime/abi/batch_norm.hpp"

#include <ATen/ops/batch_norm.h>
#include <c10/util/StringUtil.h>

#include "host/files/error.hpp"
#include "host/runtime/abi/context.hpp"

namespace vissl::host {

namespace {

void check_values_per_channel(const at::Tensor& x) {
  int64_t values = x.size(0);
  for (int64_t d = 2; d < x.dim(); ++d) values *= x.size(d);
  if (values == 1)
    throw Error(Exit::run_failed,
                c10::str("batch norm in training mode needs more than one value per channel, but "
                         "its input has the shape ",
                         x.sizes(), "; use a larger batch"));
}

std::optional<at::Tensor> optional(const at::Tensor& tensor) {
  return tensor.defined() ? std::optional<at::Tensor>(tensor) : std::nullopt;
}

}  // namespace

at::Tensor batch_norm(const at::Tensor& x, BatchNormState& state, bool training, double momentum,
                      double eps) {
  if (x.dim() < 2)
    throw Error(Exit::run_failed,
                c10::str("batch norm takes (N, C, …), but was given ", x.dim(), " dimension(s)"));
  if (training && forward_mode().sync_group > 1) {
    Collectives& ranks = collectives().group(forward_mode().sync_group);
    if (ranks.world() > 1) return sync_batch_norm(ranks, x, state, momentum, eps);
  }
  const bool batch_statistics =
      training || (!state.running_mean.defined() && !state.running_var.defined());
  if (batch_statistics) check_values_per_channel(x);
  const bool update = training && !forward_mode().recomputing;
  if (update && state.num_batches_tracked.defined()) state.num_batches_tracked.add_(1);
  // Evaluation reads the running statistics; training only writes them.
  const bool pass_statistics = update || !batch_statistics;
  return at::batch_norm(x, optional(state.weight), optional(state.bias),
                        pass_statistics ? optional(state.running_mean) : std::nullopt,
                        pass_statistics ? optional(state.running_var) : std::nullopt,
                        batch_statistics, momentum, eps, at::globalContext().userEnabledCuDNN());
}

}  // namespace vissl::host
