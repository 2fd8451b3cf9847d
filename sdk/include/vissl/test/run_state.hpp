#pragma once
// The fake run ("vissl.run/1"), its model and twins ("vissl.model/1"). A test fills in what the
// component will ask for, and reads afterwards what the component did.
#include <vissl/run.hpp>
#include <vissl/test/store.hpp>

namespace vissl {
namespace test VISSL_HIDDEN {

// A model whose forward pass the test defines. A twin has the same function and its own store.
struct FakeModel {
  // Receives the model, so that the weights of its store can be used.
  using Forward =
      std::function<std::vector<Tensor>(FakeModel& model, const std::vector<Tensor>& inputs,
                                        const std::vector<std::string>& features)>;
  Forward forward;
  Store store;
  std::string state_path;  // of a twin
  std::uint32_t buffers = 0, mode = 0, sync_bn = 0;
  std::vector<double> ema_momenta;  // one per ema_update
  vissl_model_input input = {};     // of the last forward pass; its pointers are not valid any more
  vissl_model* handle() { return reinterpret_cast<vissl_model*>(this); }
  static FakeModel& of(vissl_model* model) { return *reinterpret_cast<FakeModel*>(model); }
};

struct RunParam {
  std::string name;
  Tensor tensor, grad;
  std::uint32_t role = VISSL_ROLE_WEIGHT, module = VISSL_MODULE_OTHER, tags = 0;
  std::int32_t depth = -1;
  bool trainable = true, dropped = false;
};

// A split of the data: features by name, one row per sample.
struct FakeSplit {
  std::map<std::string, Tensor> features;
  std::vector<std::int64_t> labels;
  std::vector<std::string> paths;
  std::int64_t length = 0;
};

struct RunState {
  RunFacts facts = {};
  Counters counters = {};
  std::unique_ptr<Node> config = parse_toml("");
  FakeModel model;
  Store loss_store;
  std::int64_t phases_left = 0;             // for engines that train
  std::function<void(RunState&)> on_phase;  // called for each of them
  std::vector<std::unique_ptr<FakeModel>> twins;

  std::vector<Tensor> outputs;
  std::map<std::string, std::vector<Tensor>> record;
  Tensor loss;
  std::vector<RunParam> params;
  std::map<std::string, FakeSplit> splits;
  std::map<std::string, std::vector<double>> hypers;                 // "lr" -> its distinct values
  std::vector<std::pair<std::vector<std::string>, double>> metrics;  // path -> value

  // What the component did.
  std::map<std::string, double> loss_values, extras, summary, hyper_scales;
  std::map<std::string, std::string> phase_metrics;  // name -> JSON
  struct Scalar {
    std::string tag;
    double value;
    std::int64_t step;
  };
  std::vector<Scalar> scalars;
  std::map<std::string, Values> histograms;
  std::map<std::string, std::string> images, texts;
  std::vector<std::pair<std::uint32_t, std::string>> logs;
  std::vector<double> clipped_to;  // max_norm of every clip_grads
  int saves = 0;
  std::optional<std::pair<std::int32_t, std::string>> stopped;

  RunState() {
    facts.size = sizeof facts;
    facts.world = 1;
    facts.batch_size = 4;
    facts.epochs = 1;
    facts.iterations_per_epoch = 1;
    facts.input_channels = 3;
    counters.size = sizeof counters;
  }
  vissl_run* handle() { return reinterpret_cast<vissl_run*>(this); }
  static RunState& of(vissl_run* run) { return *reinterpret_cast<RunState*>(run); }
  static RunState*& current() {
    static RunState* run = nullptr;
    return run;
  }
  FakeSplit& split(vissl_str name) {
    const auto found = splits.find(std::string(view(name)));
    if (found == splits.end()) fail("there is no split '" + std::string(view(name)) + "'");
    return found->second;
  }
};

namespace detail {

// A field of a pass's batch: the split's features by name.
inline vissl_tensor* pass_field(const void* self, vissl_str name, std::uint64_t element) {
  const auto& rows = *static_cast<const std::map<std::string, Tensor>*>(self);
  const auto found = rows.find(std::string(view(name)));
  return found != rows.end() && element == 0 ? found->second.handle() : nullptr;
}

inline void run_pass(RunState& run, const vissl_pass& pass) {
  const FakeSplit& split = run.split(pass.split);
  for (std::int64_t at = run.facts.rank; at < split.length;) {
    std::vector<std::int64_t> indices, labels;
    for (; at < split.length && static_cast<std::int64_t>(indices.size()) < run.facts.batch_size;
         at += run.facts.world) {
      indices.push_back(at);
      if (!split.labels.empty()) labels.push_back(split.labels.at(static_cast<std::size_t>(at)));
    }
    std::vector<Tensor> outputs;
    for (std::uint64_t i = 0; i < pass.feature_count; ++i) {
      const auto found = split.features.find(std::string(view(pass.features[i])));
      if (found == split.features.end())
        fail("the split has no feature '" + std::string(view(pass.features[i])) + "'");
      outputs.push_back(found->second.index_select(0, test::labels(indices)));
    }
    std::vector<vissl_tensor*> handles;
    for (const Tensor& t : outputs) handles.push_back(t.handle());
    std::map<std::string, Tensor> rows;
    for (const auto& [name, all] : split.features)
      rows[name] = all.index_select(0, test::labels(indices));
    const vissl_pass_batch batch = {sizeof(vissl_pass_batch),
                                    handles.data(),
                                    handles.size(),
                                    indices.data(),
                                    labels.empty() ? nullptr : labels.data(),
                                    indices.size(),
                                    &rows,
                                    &pass_field};
    vissl::call(pass.on_batch, pass.ctx, &batch);
  }
}

inline double clip(RunState& run, double max_norm, double norm_type) {
  Values norms;
  for (const RunParam& param : run.params) {
    if (param.grad.defined()) norms.push_back(norm(values(param.grad), norm_type));
  }
  const double total = norm(norms, norm_type), scale = std::min(1.0, max_norm / (total + 1e-6));
  for (const RunParam& param : run.params) {
    if (param.grad.defined()) param.grad.mul_(scale);
  }
  run.clipped_to.push_back(max_norm);
  return total;
}

}  // namespace detail

inline const vissl_run_api& run_service() {
  using detail::text;
  static const vissl_run_api api = {
      sizeof(vissl_run_api),
      [](vissl_run* run, vissl_run_facts* out) { *out = RunState::of(run).facts; },
      [](vissl_run* run, vissl_counters* out) { *out = RunState::of(run).counters; },
      [](vissl_run* run) { return RunState::of(run).config->handle(); },
      [](vissl_run* run) { return RunState::of(run).model.handle(); },
      [](vissl_run* run) { return std::uint64_t{RunState::of(run).outputs.size()}; },
      [](vissl_run* run, std::uint64_t i) {
        return RunState::of(run).outputs.at(static_cast<std::size_t>(i)).handle();
      },
      [](vissl_run* run, std::uint64_t i, vissl_tensor* t, vissl_err* err) {
        return guarded(err, [&] {
          RunState::of(run).outputs.at(static_cast<std::size_t>(i)) = Tensor::borrow(t);
        });
      },
      [](vissl_run* run, vissl_str name, std::uint64_t i) -> vissl_tensor* {
        const auto found = RunState::of(run).record.find(text(name));
        if (found == RunState::of(run).record.end() || i >= found->second.size()) return nullptr;
        return found->second[static_cast<std::size_t>(i)].handle();
      },
      [](vissl_run* run, vissl_str name, vissl_tensor* t, vissl_err* err) {
        return guarded(err, [&] { RunState::of(run).record[text(name)] = {Tensor::borrow(t)}; });
      },
      [](vissl_run* run) { return RunState::of(run).loss.handle(); },
      [](vissl_run* run, vissl_str name, vissl_tensor* value, vissl_err* err) {
        return guarded(err, [&] {
          RunState::of(run).loss_values[text(name)] = Tensor::borrow(value).item<double>();
        });
      },
      [](vissl_run* run, vissl_str name, double value) {
        RunState::of(run).extras[text(name)] = value;
      },
      [](vissl_run* run) { return std::uint64_t{RunState::of(run).params.size()}; },
      [](vissl_run* run, std::uint64_t i, vissl_param_info* out, vissl_err* err) {
        return guarded(err, [&] {
          const RunParam& p = RunState::of(run).params.at(static_cast<std::size_t>(i));
          *out = {sizeof(vissl_param_info),
                  str(p.name),
                  p.tensor.handle(),
                  p.role,
                  p.module,
                  p.tags,
                  p.depth,
                  p.trainable ? 1u : 0u};
        });
      },
      [](vissl_run* run, std::uint64_t i) {
        return RunState::of(run).params.at(static_cast<std::size_t>(i)).grad.handle();
      },
      [](vissl_run* run, std::uint64_t i, vissl_err* err) {
        return guarded(err, [&] {
          RunParam& param = RunState::of(run).params.at(static_cast<std::size_t>(i));
          param.grad = Tensor();
          param.dropped = true;
        });
      },
      [](vissl_run* run, double max_norm, double norm_type, double* total, vissl_err* err) {
        return guarded(err, [&] { *total = detail::clip(RunState::of(run), max_norm, norm_type); });
      },
      [](vissl_run* run, vissl_str tag, double value, std::int64_t step, vissl_err* err) {
        return guarded(err, [&] { RunState::of(run).scalars.push_back({text(tag), value, step}); });
      },
      [](vissl_run* run, vissl_str tag, vissl_tensor* t, std::int64_t, vissl_err* err) {
        return guarded(
            err, [&] { RunState::of(run).histograms[text(tag)] = values(Tensor::borrow(t)); });
      },
      [](vissl_run* run, vissl_str tag, const void* png, std::uint64_t bytes, std::int64_t,
         vissl_err* err) {
        return guarded(err, [&] {
          RunState::of(run).images[text(tag)] =
              std::string(static_cast<const char*>(png), static_cast<std::size_t>(bytes));
        });
      },
      [](vissl_run* run, vissl_str tag, vissl_str words, std::int64_t, vissl_err* err) {
        return guarded(err, [&] { RunState::of(run).texts[text(tag)] = text(words); });
      },
      [](vissl_run* run, std::uint32_t level, vissl_str words) {
        RunState::of(run).logs.emplace_back(level, text(words));
      },
      [](vissl_run* run, vissl_str key, double value) {
        RunState::of(run).summary[text(key)] = value;
      },
      [](vissl_run* run, vissl_str name) {
        const auto found = RunState::of(run).splits.find(text(name));
        return found != RunState::of(run).splits.end() ? found->second.length : std::int64_t{-1};
      },
      [](vissl_run* run, vissl_str name, std::int64_t i, vissl_array* out, vissl_err* err) {
        return guarded(err, [&] {
          *out = scalar_view(RunState::of(run).split(name).labels.at(static_cast<std::size_t>(i)));
        });
      },
      [](vissl_run* run, vissl_str name, std::int64_t i) {
        const std::vector<std::string>& paths = RunState::of(run).splits[text(name)].paths;
        return static_cast<std::size_t>(i) < paths.size() ? str(paths[static_cast<std::size_t>(i)])
                                                          : vissl_str{nullptr, 0};
      },
      [](vissl_run* run, const vissl_pass* pass, vissl_err* err) {
        return guarded(err, [&] { detail::run_pass(RunState::of(run), *pass); });
      },
      [](vissl_run* run, vissl_err* err) {
        return guarded(err, [&] { ++RunState::of(run).saves; });
      },
      [](vissl_run* run, std::int32_t code, vissl_str reason) {
        RunState::of(run).stopped = std::make_pair(code, text(reason));
      },
      [](vissl_run* run, vissl_str name, double* out, std::uint64_t capacity) {
        const std::vector<double>& all = RunState::of(run).hypers[text(name)];
        const std::uint64_t count = all.size();
        std::copy_n(all.begin(), std::min(count, capacity), out);
        return count;
      },
      [](vissl_run* run, vissl_metric_fn on_value, void* ctx, vissl_err* err) {
        return guarded(err, [&] {
          for (const auto& [path, value] : RunState::of(run).metrics) {
            const std::vector<vissl_str> names = vissl::detail::strs(path);
            on_value(ctx, names.data(), names.size(), value);
          }
        });
      },
      [](vissl_run* run, vissl_str name) {
        const auto found = RunState::of(run).record.find(text(name));
        return found != RunState::of(run).record.end() ? std::uint64_t{found->second.size()}
                                                       : std::uint64_t{0};
      },
      [](vissl_run* run, vissl_model* model, std::uint32_t, std::uint32_t mode,
         const vissl_tensor_sink* outputs, vissl_err* err) {
        return guarded(err, [&] {
          FakeModel& fake = FakeModel::of(model);
          if (!fake.forward) fail("the test gave the run's model no forward function");
          fake.input = {};
          fake.input.mode = mode;
          for (Tensor& t : fake.forward(fake, RunState::of(run).record["data"], {}))
            outputs->push(outputs->self, t.release());
        });
      },
      [](vissl_run* run) { return RunState::of(run).loss_store.handle(); },
      [](vissl_run* run, vissl_str name, vissl_str json, vissl_err* err) {
        return guarded(err, [&] { RunState::of(run).phase_metrics[text(name)] = text(json); });
      },
      [](vissl_run* run, vissl_str name, double factor, vissl_err* err) {
        return guarded(err, [&] { RunState::of(run).hyper_scales[text(name)] = factor; });
      },
      [](vissl_run* run, std::int64_t phases, std::uint32_t* state, vissl_err* err) {
        return guarded(err, [&] {
          RunState& fake = RunState::of(run);
          for (std::int64_t n = 0; fake.phases_left > 0 && (phases <= 0 || n < phases); ++n) {
            --fake.phases_left;
            if (fake.on_phase) fake.on_phase(fake);
          }
          *state = fake.phases_left > 0 ? VISSL_TRAIN_MORE : VISSL_TRAIN_DONE;
        });
      }};
  return api;
}

inline const vissl_model_api& model_service() {
  static const vissl_model_api api = {
      sizeof(vissl_model_api),
      [](const vissl_twin_spec* spec, vissl_model** out, vissl_err* err) {
        return guarded(err, [&] {
          RunState& run = *RunState::current();
          FakeModel& from = spec->from != nullptr ? FakeModel::of(spec->from) : run.model;
          run.twins.push_back(std::make_unique<FakeModel>());
          FakeModel& twin = *run.twins.back();
          twin.forward = from.forward;
          twin.state_path = std::string(view(spec->state_path));
          twin.buffers = spec->buffers;
          twin.mode = spec->mode;
          twin.sync_bn = spec->sync_bn;
          for (const Store::Entry& entry : from.store.entries()) {
            vissl_store_spec copy = entry.spec;
            copy.name = str(entry.name);
            copy.init = VISSL_INIT_ZEROS;
            twin.store.add(copy, entry.is_buffer);
            twin.store.set(entry.name, values(entry.tensor));
          }
          *out = twin.handle();
        });
      },
      [](vissl_model* model, const vissl_model_input* input, const vissl_tensor_sink* outputs,
         vissl_err* err) {
        return guarded(err, [&] {
          FakeModel& fake = FakeModel::of(model);
          if (!fake.forward) fail("the test gave the run's model no forward function");
          fake.input = *input;
          std::vector<Tensor> results =
              fake.forward(fake, vissl::detail::borrow_tensors(input->tensors, input->count),
                           vissl::detail::texts(input->features, input->feature_count));
          for (Tensor& t : results) outputs->push(outputs->self, t.release());
        });
      },
      [](vissl_model* twin, vissl_model* source, double momentum, vissl_err* err) {
        return guarded(err, [&] {
          FakeModel& to = FakeModel::of(twin);
          for (const Store::Entry& entry : to.store.entries()) {
            const Tensor from = FakeModel::of(source).store.at(entry.name);
            const bool average = !entry.is_buffer || to.buffers == VISSL_TWIN_BUFFERS_EMA;
            if (average)
              entry.tensor.copy_(entry.tensor * momentum + from * (1 - momentum));
            else if (to.buffers == VISSL_TWIN_BUFFERS_COPY)
              entry.tensor.copy_(from);
          }
          to.ema_momenta.push_back(momentum);
        });
      },
      [](vissl_model* model) { return FakeModel::of(model).store.handle(); }};
  return api;
}

}  // namespace test
}  // namespace vissl
