// A task's state in a file: VISSL's nesting, plus "vissl_host" with what VISSL does not save
// (reference, engine 4.2).
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Version.h>
#include <torch/headeronly/version.h>
#include <vissl/state.h>

#include <array>
#include <cstring>

#include "host/runtime/abi/context.hpp"
#include "host/runtime/checkpoint/run_folder.hpp"
#include "host/runtime/checkpoint/tensors.hpp"
#include "host/runtime/train/task.hpp"
#include "host/text_sink.hpp"

namespace vissl::host {

namespace {

Node to_node(const StateDict& values) {
  Node out = Node::ordered_dict();
  for (const auto& [name, tensor] : values) out[name] = to_file(tensor);
  return out;
}

StateDict from_node(const Node& node) {
  StateDict out;
  for (const auto& [key, value] : node.as_dict().entries())
    out.emplace_back(to_text(key), from_file(value.as_tensor()));
  return out;
}

Node model_node(const Store& store) {
  Node model = Node::dict();
  model["trunk"] = to_node(store.state_dict("trunk."));
  model["heads"] = to_node(store.state_dict("heads."));
  Node out = Node::dict();
  out["model"] = std::move(model);
  return out;
}

void load_model(Store& store, const Node& saved, const std::string& source) {
  store.load_state_dict(from_node(saved.at("model").at("trunk")), "trunk.", true, source);
  store.load_state_dict(from_node(saved.at("model").at("heads")), "heads.", true, source);
}

Bytes bytes_of(const at::Tensor& state) {
  return Bytes{std::string(static_cast<const char*>(state.const_data_ptr()), state.nbytes())};
}

Node random_state() {
  const RandomState state = RandomState::current();
  Node out = Node::dict();
  out["cpu"] = bytes_of(state.cpu);
  if (state.gpu.defined()) out["gpu"] = bytes_of(state.gpu);
  return out;
}

void fill(at::Tensor& state, const std::string& bytes, const std::string& source) {
  if (state.nbytes() != bytes.size()) {
    throw Error(Exit::bad_data, source +
                                    ": its random generator state has another size than this "
                                    "libtorch's; the run cannot be resumed exactly");
  }
  state = state.clone();
  std::memcpy(state.mutable_data_ptr(), bytes.data(), bytes.size());
}

// A checkpoint of a CPU leaves the GPU's generator as the seed set it.
void set_random_state(const Node& saved, const std::string& source) {
  RandomState state = RandomState::current();
  fill(state.cpu, saved.at("cpu").as_bytes(), source);
  const Node* gpu = saved.find(std::string("gpu"));
  if (gpu != nullptr && state.gpu.defined()) fill(state.gpu, gpu->as_bytes(), source);
  state.set();
}

}  // namespace

Node Task::state() {
  Node classy = Node::dict();
  classy["train"] = counters.training;
  classy["base_model"] = model_node(model().store());
  classy["meters"] = meters_->state();
  Node optim = Node::dict();
  optim["optim"] = optimizer_->state_dict(*schedules_);
  classy["optimizer"] = std::move(optim);
  classy["phase_idx"] = counters.phase_idx;
  classy["train_phase_idx"] = counters.train_phase_idx;
  classy["num_updates"] = counters.num_updates;
  Node loss_list = Node::list();
  for (const double loss : losses) loss_list.append(loss);
  classy["losses"] = std::move(loss_list);
  classy["hooks"] = Node::dict();
  classy["loss"] = to_node(loss_store_->state_dict());

  Node own = Node::dict();
  own["format"] = 1;
  own["phase_batch"] = counters.phase_batch;
  own["phase_done"] = phase_done;
  own["phase_samples"] = phase_samples;
  own["local_iteration"] = counters.local_iteration;
  own["generator"] = random_state();
  own["seed_value"] = static_cast<std::int64_t>(facts_.seed);
  own["world"] = facts_.world;
  own["threads"] = session_.threads();
  own["precision"] = session_.precision().name;
  own["train_seconds"] = train_seconds;
  own["train_images"] = train_images;
  own["global_batch"] = counters.global_batch;
  own["iterations_per_epoch"] = facts_.iterations_per_epoch;
  own["libtorch"] = TORCH_VERSION;
  own["instructions"] = at::get_cpu_capability();
  own["device"] = session_.device_name();
  if (scaler_) own["scaler"] = scaler_->state_dict();
  own["config_toml"] = session_.services().config_toml;
  if (!weights_.summary.empty()) own["weights_init"] = weights_.summary;
  Node twins = Node::dict();
  for (const auto& [path, state] : waiting_twins_) twins[path] = state;
  for (const auto& twin : models_->all()) {
    if (twin->twin && twin->saved) twins[twin->state_path] = model_node(twin->model->store());
  }
  own["twins"] = std::move(twins);
  own["components"] = component_blobs();

  Node out = Node::dict();
  out["phase_idx"] = counters.phase_idx;
  out["train_phase_idx"] = counters.train_phase_idx;
  out["iteration"] = counters.iteration;
  out["iteration_num"] = counters.local_iteration;
  out["loss"] = to_node(loss_store_->state_dict());
  out["type"] = "consolidated";
  out["classy_state_dict"] = std::move(classy);
  out["vissl_host"] = std::move(own);
  return out;
}

void Task::load_state(const Node& saved, const std::string& source) {
  const Node* own = saved.find(std::string("vissl_host"));
  if (own == nullptr) {
    throw Error(
        Exit::bad_data,
        source +
            " was not written by this program: it holds weights but no state to resume; use it as "
            "model.weights_init.params_file in another checkpoint.dir");
  }
  const auto warn = [&](const std::string& text) {
    if (config().boolean("checkpoint.exact"))
      throw Error(Exit::usage, text + " (checkpoint.exact)");
    log().log(LogLevel::warning, text);
  };
  const auto warn_if = [&](const char* what, const std::string& then, const std::string& now) {
    if (then == now) return;
    warn(source + " was written with " + what + " " + then + ", this run has " + now +
         ": the result is not bit-equal to an undisturbed run");
  };
  warn_if("threads", std::to_string(own->at("threads").as_int()),
          std::to_string(session_.threads()));
  warn_if("precision", own->at("precision").as_text(), session_.precision().name);
  warn_if("world size", std::to_string(own->at("world").as_int()), std::to_string(facts_.world));
  if (own->at("world").as_int() != facts_.world) refuse_rank_buffers(source);
  warn_if("device", own->at("device").as_text(), session_.device_name());
  warn_if("libtorch", own->at("libtorch").as_text(), TORCH_VERSION);
  warn_if("CPU instructions", own->at("instructions").as_text(), at::get_cpu_capability());
  const auto changes = session_.services().config_changes(own->at("config_toml").as_text());
  if (!changes.empty()) {
    warn(source + " was written with another config (" + to_text(changes) +
         "): the result is not that of an undisturbed run");
  }
  // The position inside an epoch counts batches.
  if (own->at("global_batch").as_int() != counters.global_batch ||
      own->at("iterations_per_epoch").as_int() != facts_.iterations_per_epoch) {
    throw Error(
        Exit::usage,
        source + " was written with " + std::to_string(own->at("iterations_per_epoch").as_int()) +
            " steps of " + std::to_string(own->at("global_batch").as_int()) +
            " samples per epoch, this run has " + std::to_string(facts_.iterations_per_epoch) +
            " of " + std::to_string(counters.global_batch) +
            "; keep batch size and data of the run, or start in another checkpoint.dir");
  }

  if (const Node* weights = own->find(std::string("weights_init")))
    weights_.summary = weights->as_text();
  const Node& classy = saved.at("classy_state_dict");
  load_model(model().store(), classy.at("base_model"), source);
  loss_store_->load_state_dict(from_node(saved.at("loss")), "", true, source);
  optimizer_->load_state_dict(classy.at("optimizer").at("optim"), source);
  if (const Node* scaler = own->find(std::string("scaler")); scaler_ && scaler != nullptr)
    scaler_->load_state_dict(*scaler, source);
  waiting_source_ = source;
  for (const auto& [path, state] : own->at("twins").as_dict().entries())
    waiting_twins_.emplace(to_text(path), state);
  for (const auto& twin : models_->all()) {
    if (!twin->twin || !twin->saved) continue;
    if (!waiting_twins_.contains(twin->state_path))
      throw Error(Exit::bad_data, source + " has no state of the twin '" + twin->state_path + "'");
    load_twin(*twin);
  }
  meters_->reset();
  meters_->load(classy.at("meters"), source);
  load_component_blobs(own->at("components"), source);
  counters.training = classy.at("train").as_bool();
  counters.phase_idx = saved.at("phase_idx").as_int();
  counters.train_phase_idx = saved.at("train_phase_idx").as_int();
  counters.iteration = saved.at("iteration").as_int();
  counters.num_updates = classy.at("num_updates").as_int();
  counters.local_iteration = own->at("local_iteration").as_int();
  counters.phase_batch = own->at("phase_batch").as_int();
  train_seconds = own->at("train_seconds").as_real();
  train_images = own->at("train_images").as_int();
  phase_done = own->at("phase_done").as_bool();
  phase_samples = own->at("phase_samples").as_int();
  losses.clear();
  for (const Node& loss : classy.at("losses").as_items()) losses.push_back(loss.as_real());
  set_random_state(own->at("generator"), source);
  Counters phase_start = counters;  // epoch schedules were evaluated there
  phase_start.num_updates -= counters.phase_batch * counters.global_batch;
  schedules_->update_epoch(phase_start);
}

void Task::load_twin(const vissl_model& twin) {
  const auto waiting = waiting_twins_.find(twin.state_path);
  if (waiting == waiting_twins_.end()) return;
  load_model(twin.model->store(), waiting->second, waiting_source_);
  waiting_twins_.erase(waiting);
  const auto own = waiting_rank_buffers_.find(twin.state_path);
  if (own == waiting_rank_buffers_.end()) return;
  twin.model->store().load_state_dict(from_node(own->second), "", false, waiting_source_);
  waiting_rank_buffers_.erase(own);
}

// Another number of ranks cannot take over what each rank had of its own.
void Task::refuse_rank_buffers(const std::string& source) {
  const std::array<const Store*, 2> stores{&model().store(), loss_store_.get()};
  for (const Store* store : stores) {
    for (const auto& e : store->entries()) {
      if (e->parameter || e->replicated() || !e->saved()) continue;
      throw Error(Exit::usage, source +
                                   " was written by another number of ranks, and each had a '" +
                                   e->name + "' of its own; resume with as many ranks as before");
    }
  }
}

// What a file keeps, by the names of rank_buffers.
std::vector<std::pair<std::string, Store*>> Task::saved_stores() {
  std::vector<std::pair<std::string, Store*>> stores = {{"loss", loss_store_.get()},
                                                        {"model", &model().store()}};
  for (const auto& twin : models_->all())
    if (twin->twin && twin->saved)
      stores.emplace_back("twin " + twin->state_path, &twin->model->store());
  return stores;
}

// Buffers of which this rank has its own.
Node Task::rank_buffers() {
  const auto own = [&](const Store& store) {
    Node out = Node::dict();
    for (const auto& e : store.entries()) {
      if (e->parameter || !e->saved() || (e->replicated() && broadcast_buffers_)) continue;
      out[e->name] = to_file(e->tensor);
    }
    return out;
  };
  Node out = Node::dict();
  for (const auto& [path, state] : waiting_rank_buffers_) out["twin " + path] = state;
  for (const auto& [name, store] : saved_stores()) out[name] = own(*store);
  return out;
}

Node Task::rank_state() {
  Node out = Node::dict();
  out["rank"] = facts_.rank;
  out["iteration"] = counters.iteration;
  out["generator"] = random_state();
  out["meters"] = meters_->state();
  out["components"] = component_blobs();
  out["buffers"] = rank_buffers();
  return out;
}

void Task::load_rank_state(const Node& own, const std::string& source) {
  meters_->load(own.at("meters"), source);
  load_component_blobs(own.at("components"), source);
  const Node& buffers = own.at("buffers");
  for (const auto& [name, store] : saved_stores())
    store->load_state_dict(from_node(buffers.at(name)), "", false, source);
  for (const auto& [path, state] : waiting_twins_)
    if (const Node* late = buffers.find("twin " + path)) waiting_rank_buffers_.emplace(path, *late);
  set_random_state(own.at("generator"), source);
}

Node Task::component_blobs() {
  Node out = Node::dict();
  for (const auto& [slot, instance] : stateful_) {
    const auto* table = static_cast<const vissl_state_class*>(instance->extension(VISSL_STATE_ID));
    std::string bytes;
    const vissl_out sink = text_sink(bytes);
    ErrorSink error;
    error.check(table->save(instance->self(), &sink, error.get()),
                slot + " (" + instance->name() + ")");
    Node entry = Node::dict();
    entry["name"] = instance->name();
    entry["plugin"] = instance->plugin_id() + " " + instance->plugin_version();
    entry["version"] = static_cast<std::int64_t>(table->version);
    entry["state"] = Bytes{std::move(bytes)};
    out[slot] = std::move(entry);
  }
  return out;
}

void Task::load_component_blobs(const Node& blobs, const std::string& source) {
  for (const auto& [slot, instance] : stateful_) {
    const Node* entry = blobs.find(slot);
    if (entry == nullptr || entry->at("name").as_text() != instance->name()) {
      throw Error(
          Exit::bad_data,
          source + " has no state of " + slot + " (" + instance->name() +
              "); resume with the config that wrote it, or start in another checkpoint.dir");
    }
    struct Cursor {
      const std::string* bytes;
      std::size_t at;
    } cursor{&entry->at("state").as_bytes(), 0};
    const vissl_in in{sizeof in, &cursor, [](void* self, void* data, std::uint64_t size) {
                        auto& c = *static_cast<Cursor*>(self);
                        const std::size_t n = std::min<std::size_t>(size, c.bytes->size() - c.at);
                        std::memcpy(data, c.bytes->data() + c.at, n);
                        c.at += n;
                        return static_cast<std::uint64_t>(n);
                      }};
    const auto* table = static_cast<const vissl_state_class*>(instance->extension(VISSL_STATE_ID));
    ErrorSink error;
    error.check(table->load(instance->self(), &in,
                            static_cast<std::uint64_t>(entry->at("version").as_int()), error.get()),
                source + ": state of " + slot + " (" + instance->name() + ")");
  }
}

}  // namespace vissl::host
