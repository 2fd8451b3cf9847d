// vissl.run/1: the host's side of run.h. Every function goes to the task behind the handle.
#include <vissl/run.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "host/runtime/abi/given.hpp"
#include "host/runtime/abi/guard.hpp"
#include "host/runtime/abi/handle.hpp"
#include "host/runtime/abi/tables.hpp"
#include "host/runtime/dist/collectives.hpp"
#include "host/runtime/train/clip.hpp"
#include "host/runtime/train/task.hpp"

namespace vissl::host {

namespace {

Task& of(vissl_run* run) {
  return *run->task;
}

// Copies as much of a struct as the caller knows; `out->size` was set by the caller and stays.
template <class T>
void fill(T* out, T value) {
  const std::uint64_t size = std::min<std::uint64_t>(out->size, sizeof(T));
  value.size = out->size;
  std::memcpy(out, &value, size);
}

void facts(vissl_run* run, vissl_run_facts* out) {
  fill(out, of(run).facts());
}

void counters(vissl_run* run, vissl_counters* out) {
  const Counters& c = of(run).counters;
  fill(out, {sizeof(vissl_counters), c.phase_idx, c.train_phase_idx, c.iteration, c.local_iteration,
             c.num_updates, c.max_iteration, c.where(), c.training ? 1u : 0u});
}

const vissl_value* config(vissl_run* run) {
  return of(run).config().value();
}
vissl_model* model(vissl_run* run) {
  return &of(run).models().main();
}

uint64_t output_count(vissl_run* run) {
  return of(run).current.outputs.size();
}
vissl_tensor* output(vissl_run* run, uint64_t i) {
  auto& outputs = of(run).current.outputs;
  return i < outputs.size() ? borrow(outputs[i]) : nullptr;
}
vissl_status set_output(vissl_run* run, uint64_t i, vissl_tensor* t, vissl_err* err) {
  return guarded(err, [&] { of(run).current.outputs.at(i) = given(t, "set_output"); });
}
vissl_tensor* record(vissl_run* run, vissl_str name, uint64_t element) {
  const Fields::Field* field = of(run).current.record.find(view(name));
  return field != nullptr && element < field->tensors.size() ? borrow(field->tensors[element])
                                                             : nullptr;
}
vissl_status set_record(vissl_run* run, vissl_str name, vissl_tensor* t, vissl_err* err) {
  return guarded(err, [&] { of(run).current.record.set(view(name), given(t, "set_record")); });
}
vissl_tensor* loss(vissl_run* run) {
  return borrow(of(run).current.loss);
}
vissl_status loss_value(vissl_run* run, vissl_str name, vissl_tensor* value, vissl_err* err) {
  return guarded(err, [&] {
    at::Tensor mean = given(value, "loss_value").detach().to(at::kDouble).reshape({});
    if (of(run).counters.training) collectives().all_reduce(mean, Collectives::Reduce::mean);
    of(run).current.loss_values.emplace_back("loss." + text(name), mean.item<double>());
  });
}
void log_extra(vissl_run* run, vissl_str name, double value) {
  of(run).current.extras.emplace_back(text(name), value);
}

// The model's, then the loss's.
std::vector<Entry*> parameters(vissl_run* run) {
  std::vector<Entry*> all = of(run).model().store().parameters();
  if (Store* loss = of(run).loss_store())
    for (Entry* e : loss->parameters()) all.push_back(e);
  return all;
}
uint64_t param_count(vissl_run* run) {
  return parameters(run).size();
}
vissl_status param(vissl_run* run, uint64_t i, vissl_param_info* out, vissl_err* err) {
  return guarded(err, [&] {
    Entry& e = *parameters(run).at(i);
    const std::uint64_t of_model = of(run).model().store().parameters().size();
    const std::string& name =
        i < of_model ? e.name : of(run).loss_parameter_names().at(i - of_model);
    fill(out, {sizeof(vissl_param_info), str(name), e.handle(), e.role, e.module, e.tags, e.depth,
               e.trainable() ? 1u : 0u});
  });
}
vissl_tensor* grad(vissl_run* run, uint64_t i) {
  const std::vector<Entry*> all = parameters(run);
  return i < all.size() ? borrow(all[i]->tensor.mutable_grad()) : nullptr;
}
vissl_status drop_grad(vissl_run* run, uint64_t i, vissl_err* err) {
  return guarded(err, [&] { parameters(run).at(i)->tensor.mutable_grad() = at::Tensor(); });
}
vissl_status clip_grads(vissl_run* run, double max_norm, double norm_type, double* total,
                        vissl_err* err) {
  return guarded(err, [&] {
    const double norm = clip_gradients(of(run).model().store().parameters(), max_norm, norm_type);
    if (total != nullptr) *total = norm;
  });
}

// Sinks do nothing on ranks without a log.
template <class Body>
vissl_status to_log(vissl_run* run, vissl_err* err, Body&& body) {
  return guarded(err, [&] {
    if (RunLog* log = of(run).run_log) body(*log);
  });
}
vissl_status scalar(vissl_run* run, vissl_str tag, double value, int64_t step, vissl_err* err) {
  return to_log(run, err, [&](RunLog& log) { log.scalar(view(tag), value, step); });
}
vissl_status histogram(vissl_run* run, vissl_str tag, vissl_tensor* values, int64_t step,
                       vissl_err* err) {
  return to_log(run, err,
                [&](RunLog& log) { log.histogram(view(tag), given(values, "histogram"), step); });
}
vissl_status image_png(vissl_run* run, vissl_str tag, const void* png, uint64_t bytes, int64_t step,
                       vissl_err* err) {
  return to_log(run, err, [&](RunLog& log) { log.image_png(view(tag), png, bytes, step); });
}
vissl_status text_entry(vissl_run* run, vissl_str tag, vissl_str value, int64_t step,
                        vissl_err* err) {
  return to_log(run, err, [&](RunLog& log) { log.text_entry(view(tag), view(value), step); });
}
void log(vissl_run* run, uint32_t level, vissl_str value) {
  constexpr LogLevel kLevels[] = {LogLevel::debug, LogLevel::info, LogLevel::warning,
                                  LogLevel::error};
  of(run).log().log(kLevels[std::min<uint32_t>(level, 3)], view(value));
}
void summary(vissl_run* run, vissl_str key, double value) {
  if (RunLog* log = of(run).run_log) log->summary(view(key), value);
}

int64_t split_length(vissl_run* run, vissl_str split) {
  try {
    return of(run).data().has(view(split)) ? of(run).data().length(view(split)) : -1;
  } catch (...) {
    return -1;
  }
}
vissl_status split_label(vissl_run* run, vissl_str split, int64_t index, vissl_array* out,
                         vissl_err* err) {
  return of(run).data().label(view(split), index, out, err);
}
vissl_str split_path(vissl_run* run, vissl_str split, int64_t index) {
  thread_local std::string path;
  try {
    path = of(run).data().path(view(split), index);
  } catch (...) {
    path.clear();
  }
  return str(path);
}
vissl_status pass(vissl_run* run, const vissl_pass* pass, vissl_err* err) {
  return guarded(err, [&] { of(run).pass(*pass); });
}
vissl_status save(vissl_run* run, vissl_err* err) {
  return guarded(err, [&] { of(run).save_requested = true; });
}
void stop(vissl_run* run, int32_t exit_code, vissl_str reason) {
  of(run).stop_requested = {exit_code, text(reason)};
}

uint64_t hyper(vissl_run* run, vissl_str name, double* values, uint64_t capacity) {
  if (!of(run).trains()) return 0;
  const std::vector<double> all = of(run).optimizer().values(view(name), of(run).schedules());
  std::copy_n(all.begin(), std::min<std::size_t>(all.size(), capacity), values);
  return all.size();
}

void report_numbers(const nlohmann::json& node, std::vector<std::string>& path,
                    vissl_metric_fn on_value, void* ctx) {
  if (node.is_number()) {
    std::vector<vissl_str> names;
    for (const std::string& name : path) names.push_back(str(name));
    on_value(ctx, names.data(), names.size(), node.get<double>());
  }
  for (auto it = node.begin(); node.is_structured() && it != node.end(); ++it) {
    path.push_back(node.is_object() ? it.key() : std::to_string(it - node.begin()));
    report_numbers(*it, path, on_value, ctx);
    path.pop_back();
  }
}

vissl_status metrics(vissl_run* run, vissl_metric_fn on_value, void* ctx, vissl_err* err) {
  return guarded(err, [&] {
    if (of(run).counters.training && !of(run).config().boolean("metering.enable_training_meter"))
      return;  // nothing was counted
    for (const Meters::Value& meter : of(run).meters().values()) {
      std::vector<std::string> path{meter.name};
      report_numbers(nlohmann::json::parse(meter.json), path, on_value, ctx);
    }
  });
}

uint64_t record_count(vissl_run* run, vissl_str name) {
  const Fields::Field* field = of(run).current.record.find(view(name));
  return field != nullptr ? field->tensors.size() : 0;
}
vissl_status forward_step(vissl_run* run, vissl_model* model, uint32_t with_grad, uint32_t mode,
                          const vissl_tensor_sink* outputs, vissl_err* err) {
  return guarded(err, [&] {
    for (at::Tensor& output : of(run).forward_step(*model, with_grad != 0, mode))
      outputs->push(outputs->self, wrap(std::move(output)));
  });
}
vissl_store* loss_store(vissl_run* run) {
  Store* store = of(run).loss_store();
  return store != nullptr ? store->scope() : nullptr;
}
vissl_status phase_metric(vissl_run* run, vissl_str name, vissl_str json, vissl_err* err) {
  return guarded(err, [&] { of(run).phase_metric(text(name), text(json)); });
}
vissl_status scale_hyper(vissl_run* run, vissl_str name, double factor, vissl_err* err) {
  return guarded(err, [&] {
    if (!of(run).trains())
      throw Error(Exit::bad_plugin, "hyper-parameters were changed in a run that does not train");
    of(run).optimizer().scale(text(name), factor);
  });
}
vissl_status train(vissl_run* run, int64_t phases, uint32_t* state, vissl_err* err) {
  return guarded(err, [&] {
    if (!of(run).train_phases)
      throw Error(Exit::bad_plugin,
                  "`train` was called outside an engine that declares VISSL_ENGINE_TRAINS");
    *state = of(run).train_phases(phases);
  });
}

}  // namespace

const vissl_run_api& run_api() {
  static const vissl_run_api api{
      sizeof api,    &facts,       &counters,     &config,       &model,      &output_count,
      &output,       &set_output,  &record,       &set_record,   &loss,       &loss_value,
      &log_extra,    &param_count, &param,        &grad,         &drop_grad,  &clip_grads,
      &scalar,       &histogram,   &image_png,    &text_entry,   &log,        &summary,
      &split_length, &split_label, &split_path,   &pass,         &save,       &stop,
      &hyper,        &metrics,     &record_count, &forward_step, &loss_store, &phase_metric,
      &scale_hyper,  &train};
  return api;
}

}  // namespace vissl::host
