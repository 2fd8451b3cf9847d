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
  std::uint64_t rows;
};

struct Pass {
  std::string split;  // "train", "test", "probe": a table of [data]
  std::vector<std::string>
      features;  // trunk features; "heads" = outputs of the heads, "input" = the batch as (B, -1)
  std::optional<Model> model;  // none = the run's
  bool training_mode = false;  // false: eval mode, no grad
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
  // Every sample once, in dataset order within a rank: rank r has positions r, r + world, …
  // `on_batch(const PassBatch&)`; what it throws ends the pass.
  template <class OnBatch>
  void pass(const Pass& spec, OnBatch&& on_batch) const {
    const std::vector<vissl_str> features = detail::strs(spec.features);
    using Callback = std::remove_reference_t<OnBatch>;
    const vissl_pass_fn forward_batch = [](void* ctx, const vissl_pass_batch* batch,
                                           vissl_err* err) {
      return guarded(err, [&] {
        const PassBatch copy = {detail::borrow_tensors(batch->outputs, batch->output_count),
                                batch->indices, batch->labels, batch->rows};
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
                            const_cast<void*>(static_cast<const void*>(&on_batch))};
    call(api().pass, handle_, &raw);
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
