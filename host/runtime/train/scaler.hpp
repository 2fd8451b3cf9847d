#pragma once
// Dynamic loss scaling for fp16: torch.amp.GradScaler, value for value. [main]
#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "host/files/node.hpp"
#include "host/runtime/setting.hpp"

namespace vissl::host {

// Half precision loses gradients below 6e-8, so the loss is multiplied by a scale before the
// backward pass and the gradients are divided by it after. A gradient that is not finite skips the
// optimizer's step and shrinks the scale; a run of finite steps lets it grow.
class GradScaler {
 public:
  // `config`: the table machine.loss_scaling.
  GradScaler(const Setting& config, at::Device device);

  // loss * scale, with graph.
  at::Tensor scale(const at::Tensor& loss) const { return loss * scale_; }
  // Divides all `gradients` by the scale, in place. False when one of them is not finite on any
  // rank; all ranks get the same answer.
  bool unscale(const std::vector<at::Tensor>& gradients);
  // After the optimizer's step, or instead of it: shrinks or grows the scale.
  void update();

  double value() const { return scale_.item<double>(); }

  // torch's state_dict(): scale, growth_factor, backoff_factor, growth_interval, _growth_tracker.
  Node state_dict() const;
  // Takes scale and tracker; the factors are the config's. Throws Error(bad_data) naming `source`.
  void load_state_dict(const Node& state, const std::string& source);

 private:
  double growth_factor_, backoff_factor_;
  std::int64_t growth_interval_;
  at::Tensor scale_;      // float32 ()
  at::Tensor tracker_;    // int32 (): finite steps since the scale changed
  at::Tensor found_inf_;  // float32 (): 1 when the last gradients were not finite
};

}  // namespace vissl::host
