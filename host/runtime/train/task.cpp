#include "host/runtime/train/task.hpp"

#include <vissl/loss.h>
#include <vissl/state.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "host/data/memory.hpp"
#include "host/no_batch.hpp"
#include "host/runtime/abi/blocks.hpp"
#include "host/runtime/abi/handle.hpp"
#include "host/runtime/dist/collectives.hpp"

namespace vissl::host {

Task::Task(Session& session, Purpose purpose, bool fresh) : session_(session), purpose_(purpose) {
  read_facts();
  models_ = std::make_unique<Models>(session.services(), config(), facts_);
  // Nobody trains a teacher: what its file lacks would stay random.
  models_->set_weights_loader([this](Model& model, const Setting& weights) {
    init_weights(model, weights, session_.services(), true);
  });
  models_->set_state_loader([this](const vissl_model& twin) { load_twin(twin); });
  channels_last_ = config().boolean("machine.channels_last");
  broadcast_buffers_ = config().boolean("distributed.broadcast_buffers");
  if (fresh) load_weights();
  model().store().to(session.precision().parameters, session.device());
  if (channels_last_) use_channels_last();
  upload_ = std::make_unique<Upload>(
      Upload::Settings{session.device(), session.precision().parameters, channels_last_,
                       session.device().is_cuda() && config().boolean("data.async_copy")});
  meters_ = std::make_unique<Meters>(config()["meters"], *session.services().catalogue);
  if (purpose == Purpose::train) {
    meter_train_ = config().boolean("metering.enable_training_meter");
    build_loss();
    if (has_train_) build_optimizer();
    build_listeners();
  }
}

Task::~Task() {
  block_listeners().clear();
}

Allocator Task::batch_memory() const {
  return session_.cuda() != nullptr && config().boolean("data.pin_memory")
             ? session_.cuda()->pinned_memory(session_.device().index())
             : plain_memory();
}

void Task::read_facts() {
  const Setting& c = config();
  has_train_ = data().has("train") && !(purpose_ == Purpose::train && c.boolean("test_only"));
  has_test_ = data().has("test") && (c.boolean("test_model") || c.boolean("test_only"));
  facts_.size = sizeof facts_;
  facts_.seed = static_cast<std::uint64_t>(c.integer("seed_value"));
  facts_.rank = collectives().rank();
  facts_.world = collectives().world();
  facts_.epochs = has_train_ ? c.integer("optimizer.num_epochs")
                             : 1;  // a second test of the same model says nothing new
  facts_.input_channels = c.string("model.input_type") == "lab" ? 1 : 3;
  checkpoint_dir_ = c.string("checkpoint.dir");
  facts_.checkpoint_dir = str(checkpoint_dir_);
  if (purpose_ == Purpose::train && !has_train_ && !has_test_) {
    throw Error(Exit::usage,
                "nothing to do: neither [data.train] nor [data.test] is used; add data_sources to "
                "one of them");
  }
  const char* main_split = has_train_ ? "train" : "test";
  facts_.train_length = has_train_ ? data().length("train") : 0;
  facts_.test_length = has_test_ ? data().length("test") : 0;
  if (has_train_ || has_test_) {
    facts_.batch_size = data().batch_size(main_split);
    PhaseSpec spec;
    spec.split = main_split;
    spec.training = has_train_;
    spec.rank = facts_.rank;
    spec.world = facts_.world;
    if (has_train_)
      batches_per_step_ = std::max<std::int64_t>(1, c.integer("optimizer.accumulate_batches"));
    facts_.iterations_per_epoch =
        (data().batch_count(spec) + batches_per_step_ - 1) / batches_per_step_;
    if (purpose_ == Purpose::train) require_a_batch(data(), spec);
  }
  counters.global_batch =
      std::max<std::int64_t>(1, facts_.batch_size * facts_.world * batches_per_step_);
  counters.max_iteration = facts_.iterations_per_epoch * facts_.epochs;
  read_keys();
}

void Task::read_keys() {
  const Setting& c = config();
  input_keys_ = c.strings("data.train.input_key_names");
  target_keys_ = c.strings("data.train.target_key_names");
  test_input_keys_ = c.strings("data.test.input_key_names");
  test_target_keys_ = c.strings("data.test.target_key_names");
  for (const char* split : {"train", "test"}) {
    if (!data().has(split)) continue;
    const std::string table = "data." + std::string(split);
    const Setting inputs = c[table + ".input_key_names"], targets = c[table + ".target_key_names"];
    if (inputs.size() > 1 && c["model.inputs"].size() == 0) {
      throw Error(Exit::usage, inputs.where() + ": " + table +
                                   ".input_key_names names several fields, but nothing says what "
                                   "they are for; map them with [[model.inputs]], or name one");
    }
    if (targets.size() > 1) {
      throw Error(Exit::usage,
                  targets.where() + ": " + table +
                      ".target_key_names names several fields, but a loss has one target; name "
                      "one, a loss finds the batch's other fields by their names");
    }
  }
}

void Task::load_weights() {
  const Setting weights = config()["model.weights_init"];
  if (weights_tables(weights).empty()) {
    if (purpose_ == Purpose::evaluate) {
      log().log(LogLevel::warning,
                "[model.weights_init] is not given: the model that is evaluated has its random "
                "initial weights");
    }
    return;
  }
  const bool strict = purpose_ == Purpose::evaluate || config().boolean("test_only");
  weights_ = init_weights(model(), weights, session_.services(), strict);
}

void Task::build_loss() {
  loss_ = session_.services().catalogue->create("loss", config()["loss"].value());
  loss_store_ = std::make_unique<Store>(facts_.seed);
  ErrorSink sink;
  sink.check(
      loss_->as<vissl_loss_class>().build(loss_->self(), loss_store_->scope(), &facts_, sink.get()),
      "loss (" + loss_->name() + ")");
  loss_store_->close();
  for (const Entry* e : loss_store_->parameters())
    loss_parameter_names_.push_back("loss." + e->name);
  loss_store_->to(session_.precision().parameters, session_.device());
  share_values(collectives(), *loss_store_);
}

void Task::build_optimizer() {
  const Setting c = config()["optimizer"];
  const std::int64_t on_node = session_.services().ranks.local_world;  // 0 = unknown: one machine
  const std::int64_t per_rank = counters.global_batch / facts_.world;
  const StepBatch batch{counters.global_batch,
                        per_rank * (on_node > 0 ? std::min(on_node, facts_.world) : facts_.world)};
  schedules_ = std::make_unique<Schedules>(c["param_schedulers"], facts_.epochs, batch,
                                           *session_.services().catalogue);
  std::vector<Entry*> parameters;
  for (Store* store : {&model().store(), loss_store_.get()}) {
    for (Entry* e : store->parameters()) parameters.push_back(e);
  }
  const bool recompute =
      config().boolean("model.activation_checkpointing.use_activation_checkpointing");
  gradient_sync_ = std::make_unique<GradientSync>(
      collectives(), parameters,
      recompute ? GradientSync::Way::after_backward : GradientSync::Way::overlapped,
      config().integer("distributed.bucket_cap_mb") << 20);
  if (session_.precision().loss_scaling)
    scaler_ = std::make_unique<GradScaler>(config()["machine.loss_scaling"], session_.device());
  optimizer_ = std::make_unique<Optimizer>(c, std::move(parameters), *schedules_,
                                           *session_.services().catalogue);
  if (config().boolean("distributed.zero")) optimizer_->shard(collectives());
  const Setting frozen = config()["model.temp_frozen_params"];
  for (std::size_t i = 0; i < frozen.size(); ++i) {
    frozen_.push_back(
        {model().match_parameters(frozen.at(i).string("name"), "model.temp_frozen_params"),
         frozen.at(i).integer("iterations")});
  }
}

void Task::build_listeners() {
  const auto listen = [&](const std::string& slot, const std::string& place, Instance& instance) {
    events_.add(instance, place);
    block_listeners().add(instance, place);
    if (instance.extension(VISSL_STATE_ID) != nullptr) stateful_.emplace_back(slot, &instance);
  };
  listen("loss", "loss (" + loss_->name() + ")", *loss_);
  if (optimizer_)
    listen("optimizer", "optimizer (" + optimizer_->instance().name() + ")",
           optimizer_->instance());
  const std::vector<Instance*> parts = model().instances();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string slot = i == 0 ? "trunk" : "heads." + std::to_string(i - 1);
    listen(slot, slot + " (" + parts[i]->name() + ")", *parts[i]);
  }
  const Setting hooks = config()["hooks"];
  for (std::size_t i = 0; i < hooks.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      const std::string name = hooks.at(i).string("name");
      if (name == hooks.at(k).string("name"))  // they would write the same files and tags
        throw Error(Exit::usage, hooks.at(i).where() + ": hooks names '" + name +
                                     "' twice, first at " + hooks.at(k).where() +
                                     "; keep one of them");
    }
    hooks_.push_back(session_.services().catalogue->create("hook", hooks.at(i).value()));
    const std::string slot = "hooks." + std::to_string(i);
    listen(slot, "hooks[" + std::to_string(i) + "] (" + hooks_.back()->name() + ")",
           *hooks_.back());
  }
}

void Task::listen_to_engine(Instance& engine) {
  const std::string place = "engine (" + engine.name() + ")";
  events_.add(engine, place);
  block_listeners().add(engine, place);
  if (engine.extension(VISSL_STATE_ID) != nullptr) stateful_.emplace_back("engine", &engine);
}

void Task::phase_metric(const std::string& name, const std::string& json) {
  if (!nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false).is_object())
    throw Error(Exit::bad_plugin, "the metric '" + name + "' is no JSON object: " + json);
  if (phase_ending) {
    phase_metrics.emplace_back(name, json);
  } else if (run_log != nullptr) {
    PhaseMetrics line;
    line.iteration = counters.iteration;
    line.phase_idx = counters.phase_idx;
    line.train_phase_idx = counters.train_phase_idx;
    line.training = counters.training;
    line.mean_loss = std::nan("");
    line.meters.emplace_back(name, json);
    run_log->phase(line);
  }
}

void Task::use_channels_last() {
  for (Entry* e : model().store().parameters()) {
    if (e->tensor.dim() == 4)
      e->tensor.set_data(e->tensor.data().contiguous(at::MemoryFormat::ChannelsLast));
  }
}

void Task::share_buffers() {
  if (!broadcast_buffers_) return;
  for (const auto& one : models_->all()) host::share_buffers(collectives(), one->model->store());
}

bool Task::tests_alone() const {
  return facts_.world == 1 ||
         loss_->as<vissl_loss_class>().rank_reduction == VISSL_REDUCTION_MEAN_OVER_WORLD;
}

void Task::fire(std::uint32_t event) {
  events_.fire(event, handle(), log());
}

}  // namespace vissl::host
