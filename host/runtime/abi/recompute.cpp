#include "host/runtime/abi/recompute.hpp"

#include <ATen/autocast_mode.h>

#include "host/runtime/abi/blocks.hpp"
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

// The mode inside a block: it is not cut into smaller ones.
ForwardMode inside(ForwardMode mode, bool recomputing) {
  mode.recompute = false;
  mode.recomputing = recomputing;
  mode.in_block = true;
  return mode;
}

struct BlockState : torch::CustomClassHolder {
  BlockState(std::string name_, Block given) : name(std::move(name_)), block(std::move(given)) {}
  std::string name;
  Block block;
  ForwardMode mode = forward_mode();  // of the pass that the block belongs to
  RandomState random;                 // before the first run
  Autocast autocast = Autocast::current();
};

// Puts the first run's surroundings in place and the present ones back.
class SecondRun {
 public:
  explicit SecondRun(const BlockState& state)
      : autocast_(Autocast::current()),
        random_(RandomState::current()),
        mode_(inside(state.mode, true)),
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
    BlockVisit visit(state->name, 1, inputs.vec());
    ForwardModeScope plain(inside(forward_mode(), false));
    variable_list outputs = state->block(inputs.vec());
    visit.leave(outputs);
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
    ForwardModeScope pass(state.mode);
    BlockVisit visit(state.name, 2, inputs);
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
    visit.leave(outputs);
    variable_list result(2);  // the state and the anchor have no gradient
    for (const at::Tensor& input : inputs) result.push_back(input.grad());
    return result;
  }
};

}  // namespace

std::vector<at::Tensor> run_block(std::string name, Block block, std::vector<at::Tensor> inputs) {
  if (forward_mode().in_block) return block(inputs);
  if (!forward_mode().recompute || !at::GradMode::is_enabled()) {
    BlockVisit visit(name, 0, inputs);
    ForwardModeScope mode(inside(forward_mode(), forward_mode().recomputing));
    std::vector<at::Tensor> outputs = block(inputs);
    visit.leave(outputs);
    return outputs;
  }
  auto state = c10::make_intrusive<BlockState>(std::move(name), std::move(block));
  state->random = RandomState::current();
  const at::Tensor anchor = at::empty({0}).requires_grad_(true);
  return RecomputedBlock::apply(std::move(state), anchor, at::TensorList(inputs));
}

}  // namespace vissl::host
