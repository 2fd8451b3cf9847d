#include "host/runtime/conformance/tables.hpp"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "host/files/error.hpp"
#include "host/runtime/abi/guard.hpp"
#include "host/runtime/abi/handle.hpp"
#include "host/runtime/abi/tables.hpp"
#include "host/runtime/conformance/ledger.hpp"
#include "host/runtime/train/task.hpp"

namespace vissl::host {
namespace {

std::unordered_map<const vissl_op*, std::string>& names() {
  static std::unordered_map<const vissl_op*, std::string> the_names;
  return the_names;
}

void check_handle(const vissl_tensor* handle) {
  Ledger* ledger = Ledger::current();
  if (ledger == nullptr || ledger->state(handle) != Ledger::State::released) return;
  ledger->fault("uses a handle after it released it");
  throw Error(Exit::bad_plugin, "a handle is used after its release");
}

vissl_status find(vissl_str name, vissl_str overload, vissl_str schema, const vissl_op** op,
                  vissl_err* err) {
  const vissl_status status = tensor_api().op_find(name, overload, schema, op, err);
  if (status != VISSL_OK) return status;
  const std::string full = text(name) + (overload.size == 0 ? "" : "." + text(overload));
  names()[*op] = full;
  notes().operators.insert(full);
  return status;
}

vissl_status call(const vissl_op* op, const vissl_arg* args, uint64_t arg_count, vissl_arg* results,
                  uint64_t result_capacity, uint64_t* result_count, vissl_err* err) {
  const vissl_status good = guarded(err, [&] {
    for (uint64_t i = 0; i < arg_count; ++i) {
      if (args[i].tag == VISSL_T_TENSOR) check_handle(args[i].as.tensor);
      if (args[i].tag == VISSL_T_TENSOR_LIST)
        for (uint32_t k = 0; k < args[i].count; ++k) check_handle(args[i].as.tensors[k]);
    }
  });
  if (good != VISSL_OK) return good;
  const auto name = names().find(op);
  if (name != names().end() && name->second.starts_with("aten::detach"))
    notes().stops_gradient = true;
  return tensor_api().op_call(op, args, arg_count, results, result_capacity, result_count, err);
}

vissl_tensor* retain(vissl_tensor* t) {
  if (Ledger* ledger = Ledger::current();
      ledger != nullptr && ledger->state(t) == Ledger::State::released)
    ledger->fault("retains a handle after it released it");
  return tensor_api().retain(t);
}

int32_t set_grad_enabled(int32_t on) {
  if (on == 0) notes().stops_gradient = true;
  return tensor_api().set_grad_enabled(on);
}

// --- the run
// Copies as much of a struct as the caller knows.
template <class T>
void fill(T* out, T value) {
  const std::uint64_t size = std::min<std::uint64_t>(out->size, sizeof(T));
  value.size = out->size;
  std::memcpy(out, &value, static_cast<std::size_t>(size));
}

void note_missing(const char* what) {
  if (notes().missing.empty()) notes().missing = what;
}

vissl_status unavailable(vissl_err* err, const char* what) {
  note_missing(what);
  const std::string text = std::string("check-plugin has no run and so no ") + what;
  if (err != nullptr && err->set != nullptr)
    err->set(err, VISSL_E_FAILED, {text.data(), text.size()});
  return VISSL_E_FAILED;
}

// A function of the run that cannot do anything here.
template <class Result>
Result nothing(const char* what) {
  note_missing(what);
  return Result{};
}

// Calls the runtime's function for a real run, and `Without` for probing_run().
template <auto Slot, class Without>
struct Either;
template <class Result, class... Args, Result (*vissl_run_api::*Slot)(vissl_run*, Args...),
          class Without>
struct Either<Slot, Without> {
  static Result call(vissl_run* run, Args... args) {
    return run->task != nullptr ? (run_api().*Slot)(run, args...) : Without{}(run, args...);
  }
};
template <auto Slot, class Without>
auto either(Without) {
  return &Either<Slot, Without>::call;
}

vissl_run_api make_run_api() {
  vissl_run_api api = run_api();
  api.facts = either<&vissl_run_api::facts>(
      [](vissl_run*, vissl_run_facts* out) { fill(out, probing_facts()); });
  api.counters = either<&vissl_run_api::counters>([](vissl_run*, vissl_counters* out) {
    fill(out, {sizeof(vissl_counters), 0, 0, 0, 0, 0, 100, 0.0, 1u});
  });
  api.config = either<&vissl_run_api::config>(
      [](vissl_run*) { return nothing<const vissl_value*>("config"); });
  api.model =
      either<&vissl_run_api::model>([](vissl_run*) { return nothing<vissl_model*>("model"); });
  api.output_count = either<&vissl_run_api::output_count>(
      [](vissl_run*) { return nothing<uint64_t>("output_count"); });
  api.output = either<&vissl_run_api::output>(
      [](vissl_run*, uint64_t) { return nothing<vissl_tensor*>("output"); });
  api.set_output =
      either<&vissl_run_api::set_output>([](vissl_run*, uint64_t, vissl_tensor*, vissl_err* err) {
        return unavailable(err, "set_output");
      });
  api.record = either<&vissl_run_api::record>(
      [](vissl_run*, vissl_str, uint64_t) { return nothing<vissl_tensor*>("record"); });
  api.set_record = either<&vissl_run_api::set_record>(
      [](vissl_run*, vissl_str, vissl_tensor*, vissl_err*) { return vissl_status{VISSL_OK}; });
  api.loss =
      either<&vissl_run_api::loss>([](vissl_run*) { return nothing<vissl_tensor*>("loss"); });
  api.loss_value = either<&vissl_run_api::loss_value>(
      [](vissl_run*, vissl_str, vissl_tensor*, vissl_err*) { return vissl_status{VISSL_OK}; });
  api.log_extra = either<&vissl_run_api::log_extra>([](vissl_run*, vissl_str, double) {});
  api.param_count = either<&vissl_run_api::param_count>(
      [](vissl_run*) { return nothing<uint64_t>("param_count"); });
  api.param =
      either<&vissl_run_api::param>([](vissl_run*, uint64_t, vissl_param_info*, vissl_err* err) {
        return unavailable(err, "param");
      });
  api.grad = either<&vissl_run_api::grad>(
      [](vissl_run*, uint64_t) { return nothing<vissl_tensor*>("grad"); });
  api.drop_grad = either<&vissl_run_api::drop_grad>(
      [](vissl_run*, uint64_t, vissl_err* err) { return unavailable(err, "drop_grad"); });
  api.clip_grads =
      either<&vissl_run_api::clip_grads>([](vissl_run*, double, double, double*, vissl_err* err) {
        return unavailable(err, "clip_grads");
      });
  api.scalar = either<&vissl_run_api::scalar>(
      [](vissl_run*, vissl_str, double, int64_t, vissl_err*) { return vissl_status{VISSL_OK}; });
  api.histogram =
      either<&vissl_run_api::histogram>([](vissl_run*, vissl_str, vissl_tensor*, int64_t,
                                           vissl_err*) { return vissl_status{VISSL_OK}; });
  api.image_png =
      either<&vissl_run_api::image_png>([](vissl_run*, vissl_str, const void*, uint64_t, int64_t,
                                           vissl_err*) { return vissl_status{VISSL_OK}; });
  api.text = either<&vissl_run_api::text>(
      [](vissl_run*, vissl_str, vissl_str, int64_t, vissl_err*) { return vissl_status{VISSL_OK}; });
  api.log = either<&vissl_run_api::log>([](vissl_run*, uint32_t, vissl_str) {});
  api.summary = either<&vissl_run_api::summary>([](vissl_run*, vissl_str, double) {});
  api.split_length = either<&vissl_run_api::split_length>([](vissl_run*, vissl_str) {
    note_missing("split_length");
    return int64_t{-1};
  });
  api.split_label = either<&vissl_run_api::split_label>(
      [](vissl_run*, vissl_str, int64_t, vissl_array*, vissl_err* err) {
        return unavailable(err, "split_label");
      });
  api.split_path = either<&vissl_run_api::split_path>(
      [](vissl_run*, vissl_str, int64_t) { return nothing<vissl_str>("split_path"); });
  api.pass = either<&vissl_run_api::pass>(
      [](vissl_run*, const vissl_pass*, vissl_err* err) { return unavailable(err, "pass"); });
  api.save = either<&vissl_run_api::save>(
      [](vissl_run*, vissl_err* err) { return unavailable(err, "save"); });
  api.stop = either<&vissl_run_api::stop>([](vissl_run*, int32_t, vissl_str) {});
  api.hyper = either<&vissl_run_api::hyper>(
      [](vissl_run*, vissl_str, double*, uint64_t) { return nothing<uint64_t>("hyper"); });
  api.metrics =
      either<&vissl_run_api::metrics>([](vissl_run*, vissl_metric_fn, void*, vissl_err* err) {
        return unavailable(err, "metrics");
      });
  api.record_count = either<&vissl_run_api::record_count>(
      [](vissl_run*, vissl_str) { return nothing<uint64_t>("record_count"); });
  api.forward_step = either<&vissl_run_api::forward_step>(
      [](vissl_run*, vissl_model*, uint32_t, uint32_t, const vissl_tensor_sink*, vissl_err* err) {
        return unavailable(err, "forward_step");
      });
  api.loss_store = either<&vissl_run_api::loss_store>(
      [](vissl_run*) { return nothing<vissl_store*>("loss_store"); });
  api.phase_metric = either<&vissl_run_api::phase_metric>(
      [](vissl_run*, vissl_str, vissl_str, vissl_err*) { return vissl_status{VISSL_OK}; });
  api.scale_hyper =
      either<&vissl_run_api::scale_hyper>([](vissl_run*, vissl_str, double, vissl_err* err) {
        return unavailable(err, "scale_hyper");
      });
  api.train = either<&vissl_run_api::train>(
      [](vissl_run*, int64_t, uint32_t*, vissl_err* err) { return unavailable(err, "train"); });
  return api;
}

}  // namespace

CallNotes& notes() {
  static CallNotes the_notes;
  return the_notes;
}

const vissl_tensor_api& probing_tensor_api() {
  static const vissl_tensor_api api = [] {
    vissl_tensor_api table = tensor_api();
    table.op_find = &find;
    table.op_call = &call;
    table.retain = &retain;
    table.set_grad_enabled = &set_grad_enabled;
    return table;
  }();
  return api;
}

const vissl_run_api& probing_run_api() {
  static const vissl_run_api api = make_run_api();
  return api;
}

vissl_run* probing_run() {
  static vissl_run run{nullptr};  // never followed: every function above leaves it alone
  return &run;
}

vissl_run_facts probing_facts() {
  vissl_run_facts facts{};
  facts.size = sizeof facts;
  facts.seed = 1;
  facts.world = 1;
  facts.batch_size = 4;
  facts.train_length = 64;
  facts.test_length = 16;
  facts.iterations_per_epoch = 16;
  facts.epochs = 2;
  facts.input_channels = 3;
  return facts;
}

}  // namespace vissl::host
