#include "host/runtime/train/scaler.hpp"

#include <ATen/ops/_amp_foreach_non_finite_check_and_unscale.h>
#include <ATen/ops/_amp_update_scale.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/grad_mode.h>

#include <cmath>

#include "host/files/error.hpp"
#include "host/runtime/dist/collectives.hpp"

namespace vissl::host {

GradScaler::GradScaler(const Setting& config, at::Device device)
    : growth_factor_(config.number("growth_factor")),
      backoff_factor_(config.number("backoff_factor")),
      growth_interval_(config.integer("growth_interval")),
      scale_(at::full({}, config.number("init_scale"),
                      at::TensorOptions().dtype(at::kFloat).device(device))),
      tracker_(at::zeros({}, at::TensorOptions().dtype(at::kInt).device(device))),
      found_inf_(at::zeros({}, at::TensorOptions().dtype(at::kFloat).device(device))) {}

bool GradScaler::unscale(const std::vector<at::Tensor>& gradients) {
  const torch::autograd::AutoGradMode no_grad(false);
  found_inf_.zero_();
  if (!gradients.empty()) {
    const at::Tensor inverse = scale_.to(at::kDouble).reciprocal().to(at::kFloat);
    at::_amp_foreach_non_finite_check_and_unscale_(gradients, found_inf_, inverse);
  }
  collectives().all_reduce(found_inf_, Collectives::Reduce::max);
  return found_inf_.item<float>() == 0.0f;
}

void GradScaler::update() {
  const torch::autograd::AutoGradMode no_grad(false);
  at::_amp_update_scale_(scale_, tracker_, found_inf_, growth_factor_, backoff_factor_,
                         growth_interval_);
}

Node GradScaler::state_dict() const {
  Node out = Node::dict();
  out["scale"] = value();
  out["growth_factor"] = growth_factor_;
  out["backoff_factor"] = backoff_factor_;
  out["growth_interval"] = growth_interval_;
  out["_growth_tracker"] = static_cast<std::int64_t>(tracker_.item<int>());
  return out;
}

void GradScaler::load_state_dict(const Node& state, const std::string& source) {
  const double scale = state.at("scale").as_real();
  if (!std::isfinite(scale) || scale <= 0.0) {
    throw Error(Exit::bad_data, source + ": its loss scale is " + std::to_string(scale) +
                                    ", no positive number; resume from an older checkpoint "
                                    "(checkpoint.resume_file_num=2)");
  }
  scale_.fill_(scale);
  tracker_.fill_(state.at("_growth_tracker").as_int());
}

}  // namespace vissl::host
