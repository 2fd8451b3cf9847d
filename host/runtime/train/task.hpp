#pragma once
// Everything a run is made of: model, loss, optimizer, meters, listeners, counters. `Trainer` and
// the engines drive it; plugins see it as vissl_run*. [main]
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/boundary.hpp"
#include "host/files/node.hpp"
#include "host/runtime/checkpoint/weights_init.hpp"
#include "host/runtime/device/upload.hpp"
#include "host/runtime/dist/gradient_sync.hpp"
#include "host/runtime/log/run_log.hpp"
#include "host/runtime/model/models.hpp"
#include "host/runtime/session.hpp"
#include "host/runtime/train/counters.hpp"
#include "host/runtime/train/events.hpp"
#include "host/runtime/train/fields.hpp"
#include "host/runtime/train/meters.hpp"
#include "host/runtime/train/optimizer.hpp"
#include "host/runtime/train/scaler.hpp"
#include "host/runtime/train/schedules.hpp"

namespace vissl::host {
class Task;
}

// What vissl_run* points to.
struct vissl_run {
  vissl::host::Task* task;
};

namespace vissl::host {

// What one step leaves for events and logging.
struct StepState {
  Fields record;                    // the batch and what components add
  std::vector<at::Tensor> outputs;  // of the model
  at::Tensor target;                // undefined when the batch has none
  at::Tensor loss;                  // scalar with graph
  double mean_loss = 0.0;           // over the ranks; in a test of this rank alone
  std::int64_t samples = 0;         // rows of the target, or of the first input
  std::vector<std::pair<std::string, double>> loss_values;  // "loss.<name>"
  std::vector<std::pair<std::string, double>> extras;
};

class Task {
 public:
  enum class Purpose { train, evaluate };  // evaluate: model and data only

  // `fresh`: no checkpoint follows, so [model.weights_init] is applied.
  Task(Session& session, Purpose purpose, bool fresh = true);
  ~Task();
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  Session& session() { return session_; }
  const Setting& config() const { return session_.config(); }
  DataEngine& data() { return *session_.services().data; }
  Logger& log() { return *session_.services().log; }
  Models& models() { return *models_; }
  Model& model() { return *models_->main().model; }
  const vissl_run_facts& facts() const { return facts_; }
  vissl_run* handle() { return &handle_; }
  // What [model.weights_init] loaded; empty without it.
  const LoadedWeights& weights() const { return weights_; }

  bool has_train() const { return has_train_; }
  bool has_test() const { return has_test_; }
  std::int64_t epochs() const { return facts_.epochs; }

  // One batch of a step: forward, loss, meters and, in training, backward, with the update after
  // the step's last batch. Fires the events of VISSL's step in its order: FORWARD and
  // LOSS_AND_METER for each batch, BACKWARD and UPDATE once. Throws Error(run_failed) when an
  // output or the loss is not finite.
  void step(const std::shared_ptr<Batch>& batch, const StepPart& part = {});
  // Batches of a full step: optimizer.accumulate_batches in training, else 1.
  std::int64_t batches_per_step(bool training) const { return training ? batches_per_step_ : 1; }
  void fire(std::uint32_t event);
  // The batch of the current step through another model. `mode`: VISSL_FORWARD_MODE_…
  std::vector<at::Tensor> forward_step(vissl_model& model, bool with_grad, std::uint32_t mode);
  // Adds an instance that gets events last: the engine that drives the run.
  void listen_to_engine(Instance& engine);
  // A JSON object for metrics.json: at the end of a phase beside the meters', else on its own line.
  // Throws Error(bad_plugin) for a text that is no object.
  void phase_metric(const std::string& name, const std::string& json);

  // The whole state as VISSL nests it (reference, engine 4.2), with this project's additions under
  // "vissl_host".
  Node state();
  void load_state(const Node& state, const std::string& source);
  // What of the state is this rank's own, for its rank file; rank 0's part is in `state`.
  Node rank_state();
  // After load_state, on ranks other than 0.
  void load_rank_state(const Node& own, const std::string& source);

  // Before each train step and each pass without training: gives all ranks rank 0's buffers, if
  // the config says so.
  void share_buffers();
  // True when all ranks may test different numbers of samples: the loss asks nothing of others.
  bool tests_alone() const;

  // A pass over a split without training: see vissl_pass in run.h.
  void pass(const vissl_pass& pass);

  Counters counters;
  StepState current;
  std::vector<double> losses;  // of the phase: mean loss times samples, per step
  std::int64_t phase_samples = 0;
  bool phase_done =
      true;  // the phase of the counters is over: a resumed run goes on with the next one
  double train_seconds =
      0.0;  // of all train steps and of the waits between them, over all processes of the run
  std::int64_t train_images = 0;  // samples of those steps, all ranks
  RunLog* run_log = nullptr;      // rank 0 of a run with a folder
  bool save_requested = false;
  std::optional<std::pair<int, std::string>> stop_requested;  // exit code, reason
  bool phase_ending = false;                                  // PHASE_END is being sent
  std::vector<std::pair<std::string, std::string>>
      phase_metrics;  // name, JSON: of this phase's end
  // Runs phases for an engine that trains (vissl_run_api.train); empty in other runs.
  std::function<std::uint32_t(std::int64_t phases)> train_phases;

  bool trains() const { return optimizer_ != nullptr; }
  Optimizer& optimizer() { return *optimizer_; }
  Schedules& schedules() { return *schedules_; }
  Meters& meters() { return *meters_; }
  Store* loss_store() { return loss_store_.get(); }
  // "loss.<name>" of each parameter in the loss's store.
  const std::vector<std::string>& loss_parameter_names() const { return loss_parameter_names_; }
  Upload& upload() { return *upload_; }
  // What batches are made in: page-locked for a GPU unless data.pin_memory is off.
  Allocator batch_memory() const;

 private:
  struct FrozenFor {
    std::vector<Entry*> entries;
    std::int64_t iterations;
  };

  void read_facts();
  void read_keys();
  void build_loss();
  void build_optimizer();
  void build_listeners();
  void load_weights();
  void forward();
  void check_outputs() const;
  std::string at_iteration() const;
  void compute_loss();
  void backward(std::int64_t samples, const StepPart& part);
  void update_parameters(const StepPart& part);
  void join_batches(const StepPart& part);
  void drop_frozen_gradients();
  void use_channels_last();
  ModelInput model_input() const;
  void load_twin(const vissl_model& twin);
  std::vector<std::pair<std::string, Store*>> saved_stores();
  Node rank_buffers();
  void refuse_rank_buffers(const std::string& source);
  Node component_blobs();
  void load_component_blobs(const Node& blobs, const std::string& source);

  // Over the batches of the step so far.
  struct Sums {
    std::int64_t samples = 0;  // of the batches
    std::int64_t rows = 0;     // as StepState counts them
    double loss = 0.0;         // mean over the ranks times rows
  };

  Session& session_;
  Purpose purpose_;
  vissl_run handle_{this};
  vissl_run_facts facts_{};
  std::string checkpoint_dir_;
  bool has_train_ = false, has_test_ = false;
  std::unique_ptr<Models> models_;
  std::unique_ptr<Upload> upload_;
  std::unique_ptr<Store> loss_store_;
  std::vector<std::string> loss_parameter_names_;
  std::unique_ptr<Instance> loss_;
  std::unique_ptr<Schedules> schedules_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<GradientSync> gradient_sync_;
  std::unique_ptr<GradScaler> scaler_;  // with fp16 only
  std::unique_ptr<Meters> meters_;
  std::vector<std::unique_ptr<Instance>> hooks_;
  LoadedWeights weights_;  // its summary also after a resume
  // States of twins that the checkpoint has and that no component has made yet, by path.
  std::map<std::string, Node> waiting_twins_;
  std::map<std::string, Node> waiting_rank_buffers_;  // this rank's own buffers of those twins
  std::string waiting_source_;                        // the file they came from
  std::vector<std::pair<std::string, Instance*>>
      stateful_;  // "loss", "optimizer", "trunk", "heads.0", "hooks.0"
  Events events_;
  std::vector<FrozenFor> frozen_;
  std::vector<std::string> input_keys_, target_keys_, test_input_keys_, test_target_keys_;
  std::int64_t batches_per_step_ = 1;
  Sums sums_;
  bool channels_last_ = false;
  bool meter_train_ = true;
  bool broadcast_buffers_ = true;
};

}  // namespace vissl::host
