#include "host/runtime/model/models.hpp"

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_mul.h>
#include <c10/util/StringUtil.h>

#include "host/runtime/abi/context.hpp"
#include "host/runtime/abi/handle.hpp"
#include "host/runtime/dist/collectives.hpp"
#include "host/runtime/dist/gradient_sync.hpp"

namespace vissl::host {

namespace {

// Pairs of a twin's and its source's tensors by name; every entry of the twin that `wanted` accepts
// must have one.
template <class Wanted>
void pair_up(Store& twin, Store& source, Wanted wanted, std::vector<at::Tensor>& to,
             std::vector<at::Tensor>& from) {
  for (const auto& entry : twin.entries()) {
    if (!wanted(*entry)) continue;
    Entry* other = source.find(entry->name);
    if (other == nullptr || other->tensor.sizes() != entry->tensor.sizes())
      throw Error(Exit::run_failed,
                  c10::str("a twin cannot follow its source: '", entry->name, "' ",
                           entry->tensor.sizes(), " has no partner of this shape"));
    to.push_back(entry->tensor);
    from.push_back(other->tensor);
  }
}

void average(std::vector<at::Tensor>& to, const std::vector<at::Tensor>& from, double momentum) {
  if (to.empty()) return;
  at::_foreach_mul_(to, momentum);
  at::_foreach_add_(to, from, 1.0 - momentum);
}

// Restores torch's generator: building a copy must not shift the run's random draws.
class KeepGenerator {
 public:
  KeepGenerator() : generator_(default_generator()), state_(generator_.get_state()) {}
  ~KeepGenerator() { generator_.set_state(state_); }
  KeepGenerator(const KeepGenerator&) = delete;
  KeepGenerator& operator=(const KeepGenerator&) = delete;

 private:
  at::Generator generator_;
  at::Tensor state_;
};

}  // namespace

Models::Models(const Services& services, Setting root, const vissl_run_facts& facts)
    : services_(services), root_(root), facts_(facts) {
  auto main = std::make_unique<vissl_model>();
  main->config = ModelConfig({root["model"]});
  main->model = build(main->config);
  main->model->set_handle(main.get());
  models_.push_back(std::move(main));
  current() = this;
}

namespace {

// VISSL's group sizes: -1 = the ranks of one machine, 0 = all.
std::int64_t sync_group(std::int64_t setting, const Ranks& ranks) {
  if (setting > 0) return std::min(setting, ranks.world);
  return setting < 0 && ranks.local_world > 0 ? std::min(ranks.local_world, ranks.world)
                                              : ranks.world;
}

}  // namespace

Models::~Models() {
  if (current() == this) current() = nullptr;
}

Models*& Models::current() {
  static Models* the_models = nullptr;
  return the_models;
}

std::unique_ptr<Model> Models::build(const ModelConfig& config) {
  auto model = std::make_unique<Model>(config, *services_.catalogue, facts_);
  model->store().to(context().parameters, context().device);
  model->set_channels_last(root_.boolean("machine.channels_last"));
  if (root_.boolean("model.sync_bn.convert_bn_to_sync_bn"))
    model->set_sync_group(sync_group(root_.integer("model.sync_bn.group_size"), services_.ranks));
  share_values(collectives(), model->store());
  return model;
}

ModelConfig Models::overridden(const ModelConfig& config, const vissl_value* overrides) const {
  if (overrides == nullptr) return config;
  if (!services_.merge_config)
    throw Error(Exit::bad_plugin, "this executable cannot override settings of a twin");
  // Later tables are the weaker ones; the overrides win over all.
  const vissl_value* merged = config.tables().back().value();
  for (auto table = config.tables().rbegin() + 1; table != config.tables().rend(); ++table)
    merged = services_.merge_config(merged, table->value());
  merged = services_.merge_config(merged, overrides);
  return ModelConfig({Setting(root_.api(), merged)});
}

vissl_model& Models::create(const vissl_twin_spec& spec) {
  if ((spec.from == nullptr) == (spec.config == nullptr))
    throw Error(Exit::bad_plugin, "a twin is made either from a model or from a config table");
  if (spec.buffers > VISSL_TWIN_BUFFERS_OWN || spec.mode > VISSL_MODE_TRAIN ||
      spec.sync_bn > VISSL_TWIN_SYNC_AS_RUN)
    throw Error(Exit::bad_plugin, "a twin's buffers, mode or sync_bn has an unknown number");
  auto twin = std::make_unique<vissl_model>();
  twin->twin = true;
  twin->buffers = spec.buffers;
  twin->mode = spec.mode;
  twin->saved = spec.saved != 0;
  twin->state_path = text(spec.state_path);
  if (twin->saved)
    for (const auto& other : models_)
      if (other->saved && other->state_path == twin->state_path)
        throw Error(Exit::bad_plugin, "two twins are saved under '" + twin->state_path + "'");
  if (spec.from != nullptr) {
    KeepGenerator keep;
    twin->config = overridden(spec.from->config, spec.overrides);
    twin->model = build(twin->config);
    twin->model->store().copy_from(spec.from->model->store());
  } else {
    const Setting own(root_.api(), spec.config);
    twin->config = overridden(ModelConfig({own, root_["model"]}), spec.overrides);
    twin->model = build(twin->config);
    if (const Setting weights = own["weights_init"]; weights && weights_loader_)
      weights_loader_(*twin->model, weights);
  }
  twin->model->store().set_trainable("", false);
  twin->model->set_handle(twin.get());
  if (spec.sync_bn == VISSL_TWIN_SYNC_ALL) twin->model->set_sync_group(collectives().world());
  if (spec.sync_bn == VISSL_TWIN_SYNC_AS_RUN)
    twin->model->set_sync_group(main().model->sync_group());
  if (twin->saved && state_loader_) state_loader_(*twin);
  models_.push_back(std::move(twin));
  return *models_.back();
}

std::vector<at::Tensor> Models::forward(vissl_model& model, ModelInput input, bool with_grad,
                                        std::uint32_t mode) {
  if (model.twin) input.training = model.mode == VISSL_MODE_TRAIN;
  if (mode != VISSL_FORWARD_MODE_DEFAULT) input.training = mode == VISSL_FORWARD_MODE_TRAIN;
  if (with_grad) return model.model->forward(input);
  at::NoGradGuard no_grad;
  NoCastCache no_cache;
  return model.model->forward(input);
}

void Models::ema_update(vissl_model& twin, vissl_model& source, double momentum) {
  at::NoGradGuard no_grad;
  Store& to = twin.model->store();
  Store& from = source.model->store();
  std::vector<at::Tensor> averaged, averaged_from, copied, copied_from;
  const bool ema_buffers = twin.buffers == VISSL_TWIN_BUFFERS_EMA;
  auto is_averaged = [&](const Entry& entry) {
    return entry.parameter || (ema_buffers && entry.tensor.is_floating_point());
  };
  auto is_copied = [&](const Entry& entry) {
    return !is_averaged(entry) && twin.buffers != VISSL_TWIN_BUFFERS_OWN;
  };
  pair_up(to, from, is_averaged, averaged, averaged_from);
  pair_up(to, from, is_copied, copied, copied_from);
  average(averaged, averaged_from, momentum);
  for (std::size_t i = 0; i < copied.size(); ++i) copied[i].copy_(copied_from[i]);
}

}  // namespace vissl::host
