#include "host/runtime/abi/recompute.hpp"

#include <ATen/autocast_mode.h>

#include "host/runtime/abi/context.hpp"

namespace vissl::host {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Autocast of this thread as it was at the first run.
struct Autocast {
  bool enabled;
  at::ScalarType dtype;

  static Autocast current() {
    const auto device = context().device.type();
    return {at::autocast::is_autocast_enabled(device), at::autocast::get_autocast_dtype(device)};
  }
  void set() const {
    const auto device = context().device.type();
    at::autocast::set_autocast_dtype(device, dtype);
    at::autocast::set_autocast_enabled(device, enabled);
  }
};

struct BlockState : torch::CustomClassHolder {
  explicit BlockState(Block given) : block(std::move(given)) {}
  Block block;
  RandomState random;  // before the first run
  Autocast autocast = Autocast::current();
};

// Puts the first run's surroundings in place and the present ones back.
class SecondRun {
 public:
  explicit SecondRun(const BlockState& state)
      : autocast_(Autocast::current()),
        random_(RandomState::current()),
        mode_({false, true, forward_mode().sync_group}),
        grad_(true) {
    state.autocast.set();
    state.random.set();
  }
  ~SecondRun() {
    random_.set();
    autocast_.set();
  }
  SecondRun(const SecondRun&) = delete;
  SecondRun& operator=(const SecondRun&) = delete;

 private:
  NoCastCache no_cache_;
  Autocast autocast_;
  RandomState random_;
  ForwardModeScope mode_;
  at::AutoGradMode grad_;
};

struct RecomputedBlock : torch::autograd::Function<RecomputedBlock> {
  // `anchor` requires grad, so that the block's parameters get gradients even when no input does.
  static variable_list forward(AutogradContext* context, c10::intrusive_ptr<BlockState> state,
                               const at::Tensor& /*anchor*/, at::TensorList inputs) {
    NoCastCache no_cache;
    ForwardModeScope plain({false, false, forward_mode().sync_group});
    variable_list outputs = state->block(inputs.vec());
    context->save_for_backward(inputs.vec());
    context->set_materialize_grads(false);
    context->saved_data["state"] = c10::IValue::make_capsule(std::move(state));
    return outputs;
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads_out) {
    const auto capsule = context->saved_data["state"].toCapsule();
    const auto& state = static_cast<const BlockState&>(*capsule);
    variable_list inputs;
    for (const at::Tensor& saved : context->get_saved_variables())
      inputs.push_back(saved.detach().requires_grad_(saved.requires_grad()));
    variable_list outputs;
    {
      SecondRun surroundings(state);
      outputs = state.block(inputs);
    }
    variable_list roots, grads;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (!grads_out[i].defined() || !outputs[i].requires_grad()) continue;
      roots.push_back(outputs[i]);
      grads.push_back(grads_out[i]);
    }
    if (!roots.empty()) torch::autograd::backward(roots, grads);
    variable_list result(2);  // the state and the anchor have no gradient
    for (const at::Tensor& input : inputs) result.push_back(input.grad());
    return result;
  }
};

}  // namespace

std::vector<at::Tensor> run_block(Block block, std::vector<at::Tensor> inputs) {
  if (!forward_mode().recompute || !at::GradMode::is_enabled()) return block(inputs);
  auto state = c10::make_intrusive<BlockState>(std::move(block));
  state->random = RandomState::current();
  const at::Tensor anchor = at::empty({0}).requires_grad_(true);
  return RecomputedBlock::apply(std::move(state), anchor, at::TensorList(inputs));
}

}  // namespace vissl::host
