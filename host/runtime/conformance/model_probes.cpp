// Trunks, heads and losses: outputs, handles, repeatability, state, the process around them.
#include "host/runtime/conformance/model_probes.hpp"

#include <ATen/Parallel.h>

#include "host/plugin/conformance/state_rules.hpp"
#include "host/runtime/conformance/rig.hpp"
#include "host/runtime/conformance/shared_state.hpp"
#include "host/runtime/conformance/tables.hpp"

namespace vissl::host {
namespace {

constexpr Outcome kWarn = Outcome::warn, kFail = Outcome::fail;

// Other values of the same shapes and types.
Case varied(Case use, double phase) {
  for (at::Tensor& input : use.inputs) input = wave(input.sizes(), phase, input.scalar_type());
  return use;
}

const char* mode_name(bool training) {
  return training ? "training" : "evaluation";
}

}  // namespace

Verdict probe_case(Catalogue& catalogue, const ProbeRequest& request) {
  find_case(catalogue, request);
  return {};
}

Verdict probe_forward(Catalogue& catalogue, const ProbeRequest& request) {
  const Case use = find_case(catalogue, request);
  for (const bool training : {true, false}) {
    Rig rig(catalogue, request, use);
    for (const at::Tensor& output : rig.call(use, training))
      if (output.is_floating_point() && !at::isfinite(output).all().item<bool>())
        return {kFail, std::string("its output in ") + mode_name(training) +
                           " mode is not finite for ordinary input of " + use.text};
    at::NoGradGuard no_grad;
    for (const at::Tensor& output : rig.call(use, training))
      if (output.requires_grad())
        return {kFail, "builds a graph although grad mode is off; leave grad mode to the host"};
  }
  return {Outcome::ok, "on " + use.text};
}

Verdict probe_handles(Catalogue& catalogue, const ProbeRequest& request) {
  const Case use = find_case(catalogue, request);
  const Ledger& ledger = *Ledger::current();
  const std::int64_t outside = ledger.owned();
  {
    Rig rig(catalogue, request, use);
    for (int i = 0; i < 2; ++i) rig.call(use, true);  // what is kept from the first call is a cache
    const std::int64_t before = ledger.owned();
    constexpr int kCalls = 3;
    for (int i = 0; i < kCalls; ++i) rig.call(use, true);
    if (const std::int64_t more = ledger.owned() - before; more > 0)
      return {kFail, "leaks " + std::to_string(std::max<std::int64_t>(more / kCalls, 1)) +
                         " handle(s) in each forward; release every handle that a call returned"};
  }
  if (const std::int64_t more = ledger.owned() - outside; more > 0)
    return {kFail,
            "keeps " + std::to_string(more) + " handle(s) after destroy; release them there"};
  if (const std::string fault = Ledger::current()->take_fault(); !fault.empty())
    return {kFail, "destroy " + fault};
  return {};
}

Verdict probe_repeatable(Catalogue& catalogue, const ProbeRequest& request) {
  const Case use = find_case(catalogue, request);
  at::NoGradGuard no_grad;
  for (const bool training : {true, false}) {
    Rig rig(catalogue, request, use);
    const Snapshot start = rig.save();
    const auto first = rig.call(use, training);
    rig.call(varied(use, 1.7), training);
    rig.load(start);
    if (const std::string what = difference(first, rig.call(use, training)); !what.empty())
      return {kFail, std::string("the same input, store, state and seed give another result in ") +
                         mode_name(training) + " mode after other calls: " + what +
                         "; keep what the result depends on in the store or in the state"};
  }
  return {};
}

Verdict probe_second_instance(Catalogue& catalogue, const ProbeRequest& request) {
  const Case use = find_case(catalogue, request);
  at::NoGradGuard no_grad;
  Rig rig(catalogue, request, use), twin(catalogue, request, use);
  for (int i = 0; i < 3; ++i) rig.call(varied(use, 2.1 + i), true);
  const Snapshot now = rig.save();
  twin.load(now);
  for (const bool training : {true, false})
    if (const std::string what = difference(rig.call(use, training), twin.call(use, training));
        !what.empty())
      return {kFail,
              "a second instance with the same store and state gives another result: " + what +
                  "; something that the result depends on is hidden from checkpoints and "
                  "twins: put it into the store or the state"};
  return {};
}

Verdict probe_global_state(Catalogue& catalogue, const ProbeRequest& request) {
  const Case use = find_case(catalogue, request);
  for (const bool training : {true, false})
    for (const bool grad : {true, false}) {
      const SharedState outside;
      at::AutoGradMode mode(grad);
      Rig rig(catalogue, request, use);
      const SharedState before;
      rig.call(use, training);
      const std::string change = before.change_to(SharedState());
      at::set_num_threads(outside.threads);
      if (!change.empty())
        return {kFail, "forward " + change + "; put it back before the call returns"};
    }
  return {};
}

Verdict probe_batch_sizes(Catalogue& catalogue, const ProbeRequest& request) {
  const Case use = find_case(catalogue, request);
  at::NoGradGuard no_grad;
  Rig rig(catalogue, request, use);
  for (const std::int64_t rows : {1, 2, 7}) {
    std::vector<std::int64_t> shape = use.inputs[0].sizes().vec();
    shape[0] = rows;
    std::string text;
    const auto outputs = rig.call({wave(shape, 0.2, use.dtype)}, {}, false, &text);
    if (!text.empty())
      return {kFail, "evaluation fails for " + std::to_string(rows) + " sample(s): " + text};
    for (const at::Tensor& output : outputs)
      if (output.dim() == 0 || output.size(0) != rows)
        return {kFail, "gives an output of shape " + shape_of(output) + " for " +
                           std::to_string(rows) + " sample(s); dimension 0 counts samples"};
  }
  return {};
}

Verdict probe_state(Catalogue& catalogue, const ProbeRequest& request) {
  const Case use = find_case(catalogue, request);
  Rig rig(catalogue, request, use);
  if (rig.state() == nullptr) return {Outcome::ok, "has no state beside the store"};
  {
    at::NoGradGuard no_grad;
    for (int i = 0; i < 3; ++i) rig.call(varied(use, i), true);
  }
  return judge_state(*rig.state(), rig.instance(), [&](auto&& body) {
    const Rig fresh(catalogue, request, use);
    return body(fresh.instance());
  });
}

Verdict probe_operators(Catalogue& catalogue, const ProbeRequest& request) {
  static const std::set<std::string> promised = {
#include <promised_operators.inc>
  };
  const Case use = find_case(catalogue, request);
  Rig rig(catalogue, request, use);
  for (const bool training : {true, false}) rig.call(use, training);
  for (const std::string& name : notes().operators)
    if (!promised.contains(name))
      return {kWarn, "calls '" + name +
                         "', which is outside the SDK's promise: a later libtorch may change it"};
  return {Outcome::ok, std::to_string(notes().operators.size()) + " operators, all promised"};
}

}  // namespace vissl::host
