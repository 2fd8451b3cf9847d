#pragma once
// The run's model and its twins: what vissl_model* points to. [main]
#include <vissl/model.h>

#include <memory>
#include <string>
#include <vector>

#include "host/runtime/model/model.hpp"

struct vissl_model {
  std::unique_ptr<vissl::host::Model> model;
  vissl::host::ModelConfig config{{}};  // that it was built from; twins made `from` it inherit it
  bool twin = false;
  std::uint32_t buffers = VISSL_TWIN_BUFFERS_COPY;
  std::uint32_t mode = VISSL_MODE_EVAL;
  bool saved = false;
  std::string state_path;  // "loss.moco_encoder"
};

namespace vissl::host {

class Models {
 public:
  // `root` is the whole config. While it lives it is the process' current one: model_api() goes to
  // it.
  Models(const Services& services, Setting root, const vissl_run_facts& facts);
  ~Models();
  Models(const Models&) = delete;
  Models& operator=(const Models&) = delete;

  vissl_model& main() { return *models_.front(); }
  // The run's model first, then twins in order of creation.
  const std::vector<std::unique_ptr<vissl_model>>& all() const { return models_; }

  vissl_model& create(const vissl_twin_spec& spec);
  // `mode`: VISSL_FORWARD_MODE_…
  std::vector<at::Tensor> forward(vissl_model& model, ModelInput input, bool with_grad,
                                  std::uint32_t mode = VISSL_FORWARD_MODE_DEFAULT);
  void ema_update(vissl_model& twin, vissl_model& source, double momentum);

  static Models*& current();  // NULL before the first

  // Called for each twin that is built with a `weights_init` table, before its first use; the task
  // sets it.
  using WeightsLoader = std::function<void(Model& model, const Setting& weights_init)>;
  void set_weights_loader(WeightsLoader loader) { weights_loader_ = std::move(loader); }
  // Called for each saved twin when it is made: gives it the state that a checkpoint holds for it.
  using StateLoader = std::function<void(const vissl_model& twin)>;
  void set_state_loader(StateLoader loader) { state_loader_ = std::move(loader); }

 private:
  std::unique_ptr<Model> build(const ModelConfig& config);
  ModelConfig overridden(const ModelConfig& config, const vissl_value* overrides) const;

  const Services& services_;
  Setting root_;
  vissl_run_facts facts_;
  WeightsLoader weights_loader_;
  StateLoader state_loader_;
  std::vector<std::unique_ptr<vissl_model>> models_;
};

}  // namespace vissl::host
