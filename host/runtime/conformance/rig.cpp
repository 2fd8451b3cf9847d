#include "host/runtime/conformance/rig.hpp"

#include <vissl/head.h>
#include <vissl/loss.h>
#include <vissl/trunk.h>

#include <algorithm>

#include "host/plugin/conformance/state_rules.hpp"
#include "host/runtime/abi/handle.hpp"
#include "host/runtime/conformance/tables.hpp"

namespace vissl::host {
namespace {

struct Pushed {
  std::vector<vissl_tensor*> handles;
};

void seed_generator(std::uint64_t seed) {
  at::Generator generator = at::globalContext().defaultGenerator(at::kCPU);
  generator.set_current_seed(seed);
}

// Takes an output out of the plugin's handle.
at::Tensor accept(vissl_tensor* handle, const std::vector<vissl_tensor*>& inputs,
                  const Store& store) {
  if (handle == nullptr) judge_wrong("forward succeeds and gives no output");
  if (std::find(inputs.begin(), inputs.end(), handle) != inputs.end())
    judge_wrong(
        "forward returns a borrowed input as its output; return a handle of its own "
        "(retain)");
  for (const auto& entry : store.entries())
    if (handle == entry->handle())
      judge_wrong("forward returns a borrowed handle of the store; return one of its own (retain)");
  if (const Ledger* ledger = Ledger::current()) {
    if (ledger->state(handle) == Ledger::State::released)
      judge_wrong("forward returns a handle that it has released");
    if (ledger->state(handle) == Ledger::State::unknown)
      judge_wrong("forward returns a handle that the host never gave out");
  }
  return take(handle);
}

}  // namespace

Rig::Rig(Catalogue& catalogue, const ProbeRequest& request, const Case& use)
    : instance_(enter("create", [&] { return catalogue.create(request.kind, use.config); })) {
  seed_generator(17);
  const vissl_run_facts facts = probing_facts();
  vissl_store* scope = store_.scope(request.kind == "head" ? "heads.0" : request.kind);
  const auto build = request.kind == "trunk"  ? instance_->as<vissl_trunk_class>().build
                     : request.kind == "head" ? instance_->as<vissl_head_class>().build
                                              : instance_->as<vissl_loss_class>().build;
  ErrorSink sink;
  const vissl_status status = status_of(
      "build", sink, [&](vissl_err* err) { return build(instance_->self(), scope, &facts, err); });
  if (status != VISSL_OK && !notes().missing.empty())
    judge_skipped("its build needs " + notes().missing + " of a run: " + sink.text());
  if (status != VISSL_OK) judge_wrong("build fails: " + sink.text());
  store_.close();
  store_.to(use.dtype, at::kCPU);
}

std::vector<vissl_tensor*> Rig::enter_forward(const std::vector<at::Tensor>& inputs,
                                              const at::Tensor& target, bool training,
                                              ErrorSink& sink, vissl_status& status) {
  std::vector<vissl_tensor*> handles = borrow_all(inputs);
  std::vector<vissl_tensor*> out;
  if (instance_->kind() == "trunk") {
    const vissl_str image{"image", 5};
    vissl_trunk_call request{};
    request.size = sizeof request;
    request.input_names = &image;
    request.inputs = handles.data();
    request.input_count = 1;
    request.training = training ? 1 : 0;
    out.assign(1, nullptr);
    status = status_of("forward", sink, [&](vissl_err* err) {
      return instance_->as<vissl_trunk_class>().forward(instance_->self(), &request, out.data(),
                                                        err);
    });
  } else if (instance_->kind() == "head") {
    Pushed pushed;
    const vissl_tensor_sink to{sizeof(vissl_tensor_sink), &pushed,
                               [](void* self, vissl_tensor* owned) {
                                 static_cast<Pushed*>(self)->handles.push_back(owned);
                               }};
    status = status_of("forward", sink, [&](vissl_err* err) {
      return instance_->as<vissl_head_class>().forward(instance_->self(), handles.data(),
                                                       handles.size(), training ? 1 : 0, &to, err);
    });
    out = std::move(pushed.handles);
  } else {
    out.assign(1, nullptr);
    at::Tensor copy = target;
    status = status_of("forward", sink, [&](vissl_err* err) {
      return instance_->as<vissl_loss_class>().forward(instance_->self(), probing_run(),
                                                       handles.data(), handles.size(), borrow(copy),
                                                       out.data(), err);
    });
  }
  return out;
}

std::vector<at::Tensor> Rig::call(const std::vector<at::Tensor>& inputs, const at::Tensor& target,
                                  bool training, std::string* text, int seed) {
  seed_generator(static_cast<std::uint64_t>(seed));
  ErrorSink sink;
  vissl_status status = VISSL_OK;
  const std::vector<vissl_tensor*> borrowed = borrow_all(inputs);
  const std::vector<vissl_tensor*> out = enter_forward(inputs, target, training, sink, status);
  if (Ledger* ledger = Ledger::current())
    if (const std::string fault = ledger->take_fault(); !fault.empty())
      judge_wrong("forward " + fault);
  if (status != VISSL_OK) {
    if (sink.text().find("created after build") != std::string::npos)
      judge_wrong("forward creates a parameter, which build alone may do: " + sink.text());
    if (text == nullptr) judge_wrong("forward fails: " + sink.text());
    *text = sink.text();
    return {};
  }
  std::vector<at::Tensor> outputs;
  for (vissl_tensor* handle : out) outputs.push_back(accept(handle, borrowed, store_));
  if (outputs.empty()) judge_wrong("forward succeeds and gives no output");
  if (instance_->kind() == "loss" && outputs[0].numel() != 1)
    judge_wrong("forward gives a loss of shape " + shape_of(outputs[0]) + "; give one number");
  return outputs;
}

const vissl_state_class* Rig::state() const {
  return static_cast<const vissl_state_class*>(instance_->extension(VISSL_STATE_ID));
}

Snapshot Rig::save() const {
  Snapshot out;
  for (const auto& entry : store_.entries()) out.tensors.push_back(entry->tensor.detach().clone());
  if (state() == nullptr) return out;
  out.state = save_state(*state(), instance());
  return out;
}

void Rig::load(const Snapshot& snapshot) {
  if (snapshot.tensors.size() != store_.entries().size())
    judge_wrong("two instances build stores with different numbers of tensors");
  at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < snapshot.tensors.size(); ++i) {
    if (store_.entries()[i]->tensor.sizes() != snapshot.tensors[i].sizes())
      judge_wrong("two instances build '" + store_.entries()[i]->name + "' with different shapes");
    store_.entries()[i]->tensor.copy_(snapshot.tensors[i]);
  }
  if (state() == nullptr) return;
  ErrorSink sink;
  if (!load_state(*state(), instance(), snapshot.state, sink))
    judge_wrong("load fails: " + sink.text());
}

at::Tensor wave(at::IntArrayRef shape, double phase, at::ScalarType dtype) {
  const std::int64_t count = c10::multiply_integers(shape);
  return (at::arange(1, count + 1, at::TensorOptions(at::kDouble)) * 0.37 + phase)
      .sin()
      .reshape(shape)
      .to(dtype);
}

std::string shape_of(const at::Tensor& t) {
  std::string out = "(";
  for (std::int64_t i = 0; i < t.dim(); ++i)
    out += (i == 0 ? "" : ", ") + std::to_string(t.size(i));
  return out + ")";
}

std::string difference(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  if (a.size() != b.size()) return "another number of outputs";
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].sizes() != b[i].sizes()) return "output " + std::to_string(i) + " of another shape";
    if (a[i].scalar_type() != b[i].scalar_type())
      return "output " + std::to_string(i) + " of another type";
    const at::Tensor x = a[i].detach(), y = b[i].detach();
    if (at::equal(x, y)) continue;
    if (x.is_floating_point()) {
      if (at::equal(at::nan_to_num(x), at::nan_to_num(y))) continue;
      const double most = (x - y).abs().max().item<double>();
      char digits[32];
      std::snprintf(digits, sizeof digits, "%.3g", most);
      return "output " + std::to_string(i) + " differs by up to " + digits;
    }
    return "output " + std::to_string(i) + " differs";
  }
  return "";
}

}  // namespace vissl::host
