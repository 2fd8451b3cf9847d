#pragma once
// What losses, hooks, events and engines see of a run, and may do. A reference to the host's run,
// valid from build to end. [main]
#include <vissl/run.h>
#include <vissl/array.hpp>
#include <vissl/model.hpp>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

// Known at build and fixed: seed, rank, world, batch_size, train_length, iterations_per_epoch,
// epochs, checkpoint_dir …
using RunFacts = vissl_run_facts;
// VISSL's counters: iteration, num_updates, where, phase_idx, training …
using Counters = vissl_counters;

namespace detail {
// A struct that the other side filled, perhaps shorter than ours: what it does not know is 0.
template <class T>
T known_part(const T* from) {
  T out = {};
  std::memcpy(&out, from,
              static_cast<std::size_t>(std::min<std::uint64_t>(from->size, sizeof out)));
  out.size = sizeof out;
  return out;
}
}  // namespace detail

// A parameter of the model.
struct Param {
  std::uint64_t index;  // for Run::grad and drop_grad
  std::string name;     // "trunk._feature_blocks.conv1.weight"
  Tensor tensor;
  std::uint32_t role, module, tags;  // VISSL_ROLE_…, VISSL_MODULE_…, VISSL_TAG_…
  std::int32_t depth;                // for layer-wise decay, -1 = unknown
  bool trainable;
};

namespace detail {
inline Param to_param(const vissl_param_info& info, std::uint64_t index) {
  return {index,
          std::string(view(info.name)),
          Tensor::borrow(info.tensor),
          info.role,
          info.module,
          info.tags,
          info.depth,
          info.trainable != 0};
}
}  // namespace detail

// A value of a meter: path = {"accuracy_list_meter", "top_1", "res5"}.
struct Metric {
  std::vector<std::string> path;
  double value;
};

// One batch of a pass over a split.
struct PassBatch {
  std::vector<Tensor> outputs;  // in the order of Pass::features
  const std::int64_t* indices;  // dataset positions, one per row
  const std::int64_t* labels;   // class per row, NULL when the split has none
  std::uint64_t rows;           // samples; several views give outputs with a multiple of it
  const vissl_pass_batch* raw;
  // A field of the batch; undefined when absent.
  Tensor field(std::string_view name, std::uint64_t element = 0) const {
    return Tensor::borrow(raw->field(raw->self, str(name), element));
  }
};

enum class PassOrder : std::uint32_t {
  each_once = VISSL_PASS_EACH_ONCE,      // in dataset order; rank r has positions r, r + world, …
  as_training = VISSL_PASS_AS_TRAINING,  // the batches of a training epoch
};

// What is left after Run::train.
enum class Progress : std::uint32_t {
  done = VISSL_TRAIN_DONE,
  more = VISSL_TRAIN_MORE,
  stop = VISSL_TRAIN_STOP,  // the state is saved: the engine returns at once
};

struct Pass {
  std::string split;  // "train", "test", "probe": a table of [data]
  std::vector<std::string>
      features;  // trunk features; "heads" = outputs of the heads, "input" = the batch as (B, -1)
  std::optional<Model> model;  // none = the run's
  bool training_mode = false;  // false: eval mode; never with grad
  PassOrder order = PassOrder::each_once;
  std::int64_t epoch = 0;        // with as_training
  std::int64_t max_batches = 0;  // of this rank, 0 = all
};

class Run {
 public:
  explicit Run(vissl_run* handle) : handle_(handle) {}
  vissl_run* handle() const noexcept { return handle_; }

  RunFacts facts() const { return filled<RunFacts>(api().facts); }
  Counters counters() const { return filled<Counters>(api().counters); }
  Config config() const { return Config(api().config(handle_)); }  // the whole resolved config
  Model model() const { return Model(api().model(handle_)); }

  // The step: from the FORWARD event to the STEP event, and inside a loss's forward.
  std::uint64_t output_count() const { return api().output_count(handle_); }
  Tensor output(std::uint64_t i = 0) const { return Tensor::borrow(api().output(handle_, i)); }
  void set_output(std::uint64_t i, const Tensor& t) const {
    call(api().set_output, handle_, i, t.handle());
  }
  // The step record: the batch's fields ("data", "label", "data_idx" …; element i of its list) and
  // what one component leaves for another. Undefined when absent.
  Tensor record(std::string_view name, std::uint64_t element = 0) const {
    return Tensor::borrow(api().record(handle_, str(name), element));
  }
  std::uint64_t record_count(std::string_view name) const {  // elements, 0 = absent
    return api().record_count(handle_, str(name));
  }
  // All elements of a field: the crops of "data".
  std::vector<Tensor> records(std::string_view name) const {
    std::vector<Tensor> list;
    const std::uint64_t count = record_count(name);
    for (std::uint64_t i = 0; i < count; ++i) list.push_back(record(name, i));
    return list;
  }
  // The step's batch through another model, with the run's input keys and mapping.
  std::vector<Tensor> forward_step(const Model& other, bool with_grad = false,
                                   ForwardMode mode = ForwardMode::by_default) const {
    detail::TensorCollector outputs;
    call(api().forward_step, handle_, other.handle(), std::uint32_t{with_grad},
         static_cast<std::uint32_t>(mode), outputs.sink());
    return outputs.take();
  }
  void set_record(std::string_view name, const Tensor& t) const {
    call(api().set_record, handle_, str(name), t.handle());
  }
  Tensor loss() const { return Tensor::borrow(api().loss(handle_)); }  // undefined before the loss
  // Averaged over the ranks, logged as "loss.<name>".
  void loss_value(std::string_view name, const Tensor& value) const {
    call(api().loss_value, handle_, str(name), value.handle());
  }
  // The distinct values of a hyper-parameter over the groups in the last step: hyper("lr").
  std::vector<double> hyper(std::string_view name) const {
    std::vector<double> values(
        static_cast<std::size_t>(api().hyper(handle_, str(name), nullptr, 0)));
    api().hyper(handle_, str(name), values.data(), values.size());
    return values;
  }
  // The values of all meters over the phase so far; over all ranks at Event::phase_end.
  std::vector<Metric> metrics() const {
    std::vector<Metric> list;
    const vissl_metric_fn add = [](void* ctx, const vissl_str* path, std::uint64_t depth,
                                   double value) {
      auto& out = *static_cast<std::vector<Metric>*>(ctx);
      out.push_back({detail::texts(path, depth), value});
    };
    call(api().metrics, handle_, add, static_cast<void*>(&list));
    return list;
  }
  // Multiplies a hyper-parameter of all groups from the next optimizer step on; not saved.
  void scale_hyper(std::string_view name, double factor) const {
    call(api().scale_hyper, handle_, str(name), factor);
  }
  // A JSON object beside the meters' in metrics.json: {"top_1": 75.6}.
  void phase_metric(std::string_view name, std::string_view json) const {
    call(api().phase_metric, handle_, str(name), str(json));
  }
  // A number in this step's log line and stdout.json.
  void log_extra(std::string_view name, double value) const {
    api().log_extra(handle_, str(name), value);
  }

  // Parameters in store order; gradients are already divided by the loss scale, undefined = none.
  std::vector<Param> params() const {
    std::vector<Param> list;
    const std::uint64_t count = api().param_count(handle_);
    list.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count; ++i) {
      vissl_param_info info = {};
      info.size = sizeof info;
      call(api().param, handle_, i, &info);
      list.push_back(detail::to_param(info, i));
    }
    return list;
  }
  Tensor grad(const Param& param) const { return Tensor::borrow(api().grad(handle_, param.index)); }
  void drop_grad(const Param& param) const { call(api().drop_grad, handle_, param.index); }
  // Scales all gradients to a total norm of at most max_norm (norm_type 2, 1 or infinity); returns
  // the norm before.
  double clip_grads(double max_norm, double norm_type = 2.0) const {
    double total = 0;
    call(api().clip_grads, handle_, max_norm, norm_type, &total);
    return total;
  }

  // TensorBoard and CSV of rank 0; other ranks' calls do nothing.
  void scalar(std::string_view tag, double value, std::int64_t step) const {
    call(api().scalar, handle_, str(tag), value, step);
  }
  void histogram(std::string_view tag, const Tensor& values, std::int64_t step) const {
    call(api().histogram, handle_, str(tag), values.handle(), step);
  }
  void image_png(std::string_view tag, std::string_view png, std::int64_t step) const {
    call(api().image_png, handle_, str(tag), static_cast<const void*>(png.data()),
         std::uint64_t{png.size()}, step);
  }
  void text(std::string_view tag, std::string_view text, std::int64_t step) const {
    call(api().text, handle_, str(tag), str(text), step);
  }
  void debug(std::string_view text) const { api().log(handle_, VISSL_LOG_DEBUG, str(text)); }
  void info(std::string_view text) const { api().log(handle_, VISSL_LOG_INFO, str(text)); }
  void warning(std::string_view text) const { api().log(handle_, VISSL_LOG_WARNING, str(text)); }
  void error(std::string_view text) const { api().log(handle_, VISSL_LOG_ERROR, str(text)); }
  void summary(std::string_view key, double value) const {  // of summary.json
    api().summary(handle_, str(key), value);
  }

  // Datasets by split name.
  std::int64_t split_length(std::string_view split) const {  // -1 = no such split
    return api().split_length(handle_, str(split));
  }
  vissl_array split_label(std::string_view split, std::int64_t index) const {
    vissl_array out = {};
    out.size = sizeof out;
    call(api().split_label, handle_, str(split), index, &out);
    return out;
  }
  std::string split_path(std::string_view split, std::int64_t index) const {
    return std::string(view(api().split_path(handle_, str(split), index)));
  }
  // `on_batch(const PassBatch&)`; what it throws ends the pass.
  template <class OnBatch>
  void pass(const Pass& spec, OnBatch&& on_batch) const {
    const std::vector<vissl_str> features = detail::strs(spec.features);
    using Callback = std::remove_reference_t<OnBatch>;
    const vissl_pass_fn forward_batch = [](void* ctx, const vissl_pass_batch* batch,
                                           vissl_err* err) {
      return guarded(err, [&] {
        const PassBatch copy = {detail::borrow_tensors(batch->outputs, batch->output_count),
                                batch->indices, batch->labels, batch->rows, batch};
        (*static_cast<Callback*>(ctx))(copy);
      });
    };
    const vissl_pass raw = {sizeof(vissl_pass),
                            str(spec.split),
                            spec.model ? spec.model->handle() : nullptr,
                            features.data(),
                            features.size(),
                            std::uint32_t{spec.training_mode},
                            forward_batch,
                            const_cast<void*>(static_cast<const void*>(&on_batch)),
                            static_cast<std::uint32_t>(spec.order),
                            spec.epoch,
                            spec.max_batches};
    call(api().pass, handle_, &raw);
  }

  // The loss's parameters and buffers.
  std::optional<nn::Scope> loss_store() const {
    vissl_store* store = api().loss_store(handle_);
    return store != nullptr ? std::optional<nn::Scope>(nn::Scope(store)) : std::nullopt;
  }

  // For engines that train: the next phases, 0 = all that are left.
  Progress train(std::int64_t phases = 0) const {
    std::uint32_t state = VISSL_TRAIN_DONE;
    call(api().train, handle_, phases, &state);
    return static_cast<Progress>(state);
  }

  void save() const { call(api().save, handle_); }  // a checkpoint at the end of this step
  // Ends the run after this step; code 0 = as if it were done.
  void stop(std::int32_t exit_code, std::string_view reason) const {
    api().stop(handle_, exit_code, str(reason));
  }

 private:
  static const vissl_run_api& api() { return service<vissl_run_api>(VISSL_RUN_ID); }
  template <class T>
  T filled(void (*fill)(vissl_run*, T*)) const {
    T out = {};
    out.size = sizeof out;
    fill(handle_, &out);
    return out;
  }
  vissl_run* handle_;
};

}  // namespace abi1
}  // namespace vissl
