// libtorch's own synchronised batch norm has CUDA kernels only.
#include <ATen/ops/addcmul.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/native_batch_norm.h>
#include <ATen/ops/native_batch_norm_backward.h>
#include <ATen/ops/var_mean.h>
#include <c10/util/StringUtil.h>
#include <torch/csrc/autograd/custom_function.h>

#include "host/files/error.hpp"
#include "host/runtime/abi/batch_norm.hpp"
#include "host/runtime/abi/context.hpp"

namespace vissl::host {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

std::optional<at::Tensor> optional(const at::Tensor& tensor) {
  return tensor.defined() ? std::optional<at::Tensor>(tensor) : std::nullopt;
}

// All values of the ranks per channel; (C) each, float64.
struct Statistics {
  at::Tensor mean, variance;  // biased
  double count = 0.0;
};

Statistics joint_statistics(Collectives& ranks, const at::Tensor& x) {
  std::vector<int64_t> dims{0};
  for (int64_t d = 2; d < x.dim(); ++d) dims.push_back(d);
  const int64_t channels = x.size(1);
  const double count = static_cast<double>(x.numel()) / static_cast<double>(channels);
  const at::Tensor wide = x.scalar_type() == at::kDouble ? x : x.to(at::kFloat);
  const auto [variance, mean] = at::var_mean(wide, dims, /*correction=*/0);
  const at::Tensor m = mean.to(at::kDouble), v = variance.to(at::kDouble);
  at::Tensor sums =
      at::cat({m * count, (v + m * m) * count, at::full({1}, count, m.options())});  // (2C + 1)
  ranks.all_reduce(sums, Collectives::Reduce::sum);
  Statistics all;
  all.count = sums[2 * channels].item<double>();
  all.mean = sums.narrow(0, 0, channels) / all.count;
  all.variance = (sums.narrow(0, channels, channels) / all.count - all.mean.square()).clamp_min(0);
  return all;
}

struct Group : torch::CustomClassHolder {
  explicit Group(Collectives& given) : ranks(given) {}
  Collectives& ranks;
};

// With the joint statistics fixed, y is linear in x: libtorch's kernels for evaluation give it and
// the gradients of weight and bias. What is missing in dx is the way over the statistics:
//   dx = w s (dy - 1/N sum(dy) - xhat / N sum(dy xhat)),  s = 1 / sqrt(variance + eps),
// with sums over all ranks.
struct SyncBatchNorm : torch::autograd::Function<SyncBatchNorm> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, const at::Tensor& mean,
                            const at::Tensor& variance, double count, double eps,
                            c10::intrusive_ptr<Group> group) {
    context->save_for_backward({x, weight, mean, variance});
    context->saved_data["count"] = count;
    context->saved_data["eps"] = eps;
    context->saved_data["group"] = c10::IValue::make_capsule(std::move(group));
    return std::get<0>(at::native_batch_norm(x, optional(weight), optional(bias), mean, variance,
                                             /*training=*/false, 0.0, eps));
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &mean = saved[2], &variance = saved[3];
    const double count = context->saved_data["count"].toDouble();
    const double eps = context->saved_data["eps"].toDouble();
    const auto capsule = context->saved_data["group"].toCapsule();
    Collectives& ranks = static_cast<Group&>(*capsule).ranks;

    // For the own sums of dy xhat and dy, a weight of one serves as well as the real one.
    const at::Tensor factor = weight.defined() ? weight : at::ones_like(mean);
    auto [dx, dy_xhat, dy] = at::native_batch_norm_backward(
        grads[0].contiguous(x.suggest_memory_format()), x, factor, mean, variance, std::nullopt,
        std::nullopt, /*train=*/false, eps, {true, true, true});
    const int64_t channels = x.size(1);
    at::Tensor sums = at::cat({dy_xhat, dy}).to(at::kDouble);  // (2C)
    ranks.all_reduce(sums, Collectives::Reduce::sum);
    const at::Tensor s = (variance.to(at::kDouble) + eps).rsqrt();
    const at::Tensor share = factor.to(at::kDouble) * s / count;
    const at::Tensor slope = -share * s * sums.narrow(0, 0, channels);  // times x
    const at::Tensor offset =
        -share * sums.narrow(0, channels, channels) - slope * mean.to(at::kDouble);
    std::vector<int64_t> shape(static_cast<std::size_t>(x.dim()), 1);
    shape[1] = channels;
    const auto type = x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    const at::Tensor a = slope.to(type).reshape(shape), c = offset.to(type).reshape(shape);
    dx = at::addcmul(dx + c, x, a).to(x.scalar_type());
    variable_list result{dx, at::Tensor(), at::Tensor()};
    if (weight.defined()) result[1] = dy_xhat;
    if (weight.defined()) result[2] = dy;
    result.resize(8);  // the rest has no gradient
    return result;
  }
};

}  // namespace

at::Tensor sync_batch_norm(Collectives& ranks, const at::Tensor& x, BatchNormState& state,
                           double momentum, double eps) {
  Statistics all;
  {
    const at::NoGradGuard no_grad;
    all = joint_statistics(ranks, x.detach());
    if (all.count < 2.0)
      throw Error(Exit::run_failed,
                  c10::str("batch norm in training mode needs more than one value per channel, but "
                           "its input has the shape ",
                           x.sizes(), "; use a larger batch"));
    if (!forward_mode().recomputing) {
      if (state.num_batches_tracked.defined()) state.num_batches_tracked.add_(1);
      const double unbiased = all.count / (all.count - 1.0);
      if (state.running_mean.defined())
        state.running_mean.mul_(1.0 - momentum)
            .add_(all.mean.to(state.running_mean.scalar_type()), momentum);
      if (state.running_var.defined())
        state.running_var.mul_(1.0 - momentum)
            .add_(all.variance.to(state.running_var.scalar_type()), momentum * unbiased);
    }
  }
  const auto type = x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  return SyncBatchNorm::apply(x, state.weight, state.bias, all.mean.to(type), all.variance.to(type),
                              all.count, eps, c10::make_intrusive<Group>(ranks));
}

}  // namespace vissl::host
