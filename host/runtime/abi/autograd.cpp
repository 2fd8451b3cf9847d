// The table of vissl.autograd/1: functions with an own backward pass, and blocks that may be
// recomputed.
#include <ATen/core/ivalue.h>

#include <cstring>
#include <optional>

#include "host/boundary.hpp"
#include "host/runtime/abi/context.hpp"
#include "host/runtime/abi/given.hpp"
#include "host/runtime/abi/guard.hpp"
#include "host/runtime/abi/handle.hpp"
#include "host/runtime/abi/recompute.hpp"
#include "host/runtime/abi/tables.hpp"

namespace vissl::host {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// A plugin's function for the life of its node in the graph. Owns `ctx` from the moment that apply
// got it.
struct FunctionState : torch::CustomClassHolder {
  explicit FunctionState(const vissl_function& given) {
    std::memcpy(&function, &given,
                std::min<std::size_t>(static_cast<std::size_t>(given.size), sizeof(function)));
    name = text(function.name);
    if (context().crash_place != nullptr) owner = context().crash_place->call().instance;
  }
  ~FunctionState() override {
    if (function.free_ctx != nullptr) function.free_ctx(function.ctx);
  }

  vissl_function function{};
  std::string name;
  const Instance* owner = nullptr;  // the component that applied it, for the sentence of a crash
};

// What a function saves for its backward pass at most.
constexpr std::size_t kSavedCapacity = 64;

variable_list take_all(std::vector<vissl_tensor*>& handles, std::size_t count) {
  variable_list tensors;
  for (std::size_t i = 0; i < count; ++i) tensors.push_back(take(handles[i]));
  return tensors;
}

void release_all(std::vector<vissl_tensor*>& handles) {
  for (vissl_tensor* handle : handles) release_handle(handle);
}

struct PluginFunction : torch::autograd::Function<PluginFunction> {
  static variable_list forward(AutogradContext* context, c10::intrusive_ptr<FunctionState> state,
                               at::TensorList inputs, std::size_t output_count) {
    const auto borrowed = borrow_all({inputs.data(), inputs.size()});
    std::vector<vissl_tensor*> outputs(output_count, nullptr), saved(kSavedCapacity, nullptr);
    uint64_t saved_count = 0;
    ErrorSink err;
    const vissl_status status = state->function.forward(
        state->function.ctx, borrowed.data(), borrowed.size(), outputs.data(), outputs.size(),
        saved.data(), saved.size(), &saved_count, err.get());
    if (status != VISSL_OK || saved_count > kSavedCapacity) {
      release_all(outputs);
      release_all(saved);
    }
    err.check(status, state->name);
    if (saved_count > kSavedCapacity)
      throw Error(Exit::run_failed,
                  c10::str(state->name, ": it saves ", saved_count, " tensors, at most ",
                           kSavedCapacity, " are possible"));
    variable_list result = take_all(outputs, output_count);
    context->save_for_backward(take_all(saved, static_cast<std::size_t>(saved_count)));
    for (std::size_t i = 0; i < result.size(); ++i)
      if (!result[i].defined())
        throw Error(Exit::run_failed, c10::str(state->name, ": output ", i, " was not written"));
    context->set_materialize_grads(false);
    context->saved_data["inputs"] = static_cast<int64_t>(inputs.size());
    context->saved_data["state"] = c10::IValue::make_capsule(std::move(state));
    return result;
  }

  static variable_list backward(AutogradContext* context, variable_list grads_out) {
    const auto capsule = context->saved_data["state"].toCapsule();
    const auto& state = static_cast<const FunctionState&>(*capsule);
    if (at::GradMode::is_enabled())
      throw Error(Exit::run_failed, state.name + ": its gradient cannot be differentiated again");
    const variable_list saved = context->get_saved_variables();
    const auto saved_handles = borrow_all(saved);
    const auto grad_handles = borrow_all(grads_out);
    const auto count = static_cast<std::size_t>(context->saved_data["inputs"].toInt());
    std::vector<vissl_tensor*> grads_in(count, nullptr);
    std::optional<InPlugin> place;
    if (state.owner != nullptr)
      place.emplace(vissl::host::context().crash_place, *state.owner, "a backward function");
    ErrorSink err;
    const vissl_status status = state.function.backward(
        state.function.ctx, saved_handles.data(), saved_handles.size(), grad_handles.data(),
        grad_handles.size(), grads_in.data(), grads_in.size(), err.get());
    if (status != VISSL_OK) release_all(grads_in);
    err.check(status, "backward of " + state.name);
    variable_list result = take_all(grads_in, count);
    result.insert(result.begin(), at::Tensor());  // the state
    result.emplace_back();                        // the number of outputs
    return result;
  }
};

vissl_status apply(const vissl_function* fn, vissl_tensor* const* inputs, uint64_t input_count,
                   vissl_tensor** outputs, uint64_t output_count, vissl_err* err) {
  return guarded(err, [&] {
    auto state = c10::make_intrusive<FunctionState>(*fn);
    variable_list tensors;
    for (uint64_t i = 0; i < input_count; ++i)
      tensors.push_back(given(inputs[i], "an autograd function"));
    variable_list results = PluginFunction::apply(std::move(state), at::TensorList(tensors),
                                                  static_cast<std::size_t>(output_count));
    for (std::size_t i = 0; i < results.size(); ++i) outputs[i] = wrap(std::move(results[i]));
  });
}

vissl_status block_call(vissl_str name, vissl_block_fn fn, void* ctx, vissl_tensor* const* inputs,
                        uint64_t input_count, vissl_tensor** outputs, uint64_t output_count,
                        vissl_err* err) {
  return guarded(err, [&] {
    Block block = [label = text(name), fn, ctx, output_count](const variable_list& tensors) {
      const auto borrowed = borrow_all(tensors);
      std::vector<vissl_tensor*> results(static_cast<std::size_t>(output_count), nullptr);
      ErrorSink sink;
      const vissl_status status =
          fn(ctx, borrowed.data(), borrowed.size(), results.data(), results.size(), sink.get());
      if (status != VISSL_OK) release_all(results);
      sink.check(status, "block " + label);
      return take_all(results, results.size());
    };
    variable_list tensors;
    for (uint64_t i = 0; i < input_count; ++i)
      tensors.push_back(given(inputs[i], "an autograd function"));
    variable_list results = run_block(text(name), std::move(block), std::move(tensors));
    for (std::size_t i = 0; i < results.size(); ++i) outputs[i] = wrap(std::move(results[i]));
  });
}

constexpr vissl_autograd_api kTable = {sizeof(vissl_autograd_api), apply, block_call};

}  // namespace

const vissl_autograd_api& autograd_api() {
  return kTable;
}

}  // namespace vissl::host
