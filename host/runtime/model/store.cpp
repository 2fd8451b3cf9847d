#include "host/runtime/model/store.hpp"

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/stack.h>
#include <c10/util/StringUtil.h>

#include <limits>

#include "host/files/error.hpp"

namespace vissl::host {

namespace {

at::Generator cpu_generator() {
  return at::globalContext().defaultGenerator(at::kCPU);
}

bool starts_with(const std::string& text, std::string_view prefix) {
  return std::string_view(text).substr(0, prefix.size()) == prefix;
}

}  // namespace

Store::Store(std::uint64_t init_seed) : init_seed_(init_seed) {
  scopes_.emplace("", std::make_unique<vissl_store>(vissl_store{this, ""}));
}

Store::~Store() = default;

vissl_store* Store::scope(std::string_view name) {
  const auto known = scopes_.find(name);
  if (known != scopes_.end()) return known->second.get();
  auto scope = std::make_unique<vissl_store>(vissl_store{this, std::string(name) + "."});
  return scopes_.emplace(std::string(name), std::move(scope)).first->second.get();
}

Entry& Store::add(std::string name, const vissl_store_spec& spec, bool parameter) {
  if (closed_)
    throw Error(Exit::run_failed, "'" + name +
                                      "' is created after build; parameters and buffers can be "
                                      "created in build only");
  if (by_name_.contains(name))
    throw Error(Exit::run_failed, "the name '" + name + "' is created twice in one store");
  auto entry = std::make_unique<Entry>();
  entry->tensor = initial_value(spec, name);
  entry->name = std::move(name);
  entry->parameter = parameter;
  entry->role = spec.role;
  entry->module = spec.module;
  entry->tags = spec.tags;
  entry->depth = spec.depth;
  entry->pos_prefix = spec.pos_prefix;
  entry->pos_grid_h = spec.pos_grid_h;
  entry->pos_grid_w = spec.pos_grid_w;
  entry->buffer = spec.buffer;
  by_name_.emplace(entry->name, entry.get());
  entries_.push_back(std::move(entry));
  return *entries_.back();
}

Entry& Store::add_parameter(std::string name, const vissl_store_spec& spec) {
  Entry& entry = add(std::move(name), spec, true);
  if ((spec.tags & VISSL_TAG_NO_GRAD) == 0) {
    if (!entry.tensor.is_floating_point() && !entry.tensor.is_complex())
      throw Error(Exit::run_failed, "parameter '" + entry.name + "' has the integer type " +
                                        c10::toString(entry.tensor.scalar_type()) +
                                        ", which has no gradient; make it a buffer");
    entry.tensor.requires_grad_(true);
  }
  return entry;
}

Entry& Store::add_buffer(std::string name, const vissl_store_spec& spec) {
  return add(std::move(name), spec, false);
}

void Store::discard(const vissl_store_spec& spec) {
  initial_value(spec, "a discarded layer");
}

void Store::scale(std::string_view name, double factor) {
  Entry* entry = find(name);
  if (entry == nullptr)
    throw Error(Exit::run_failed,
                "'" + std::string(name) + "' cannot be scaled: the store has no such name");
  at::NoGradGuard no_grad;
  entry->tensor.mul_(factor);
}

void Store::seed_push(std::uint64_t offset) {
  at::Generator generator = cpu_generator();
  saved_generators_.push_back(generator.get_state());
  generator.set_current_seed(init_seed_ + offset);
}

void Store::seed_pop() {
  if (saved_generators_.empty())
    throw Error(Exit::run_failed, "seed_pop was called without seed_push");
  cpu_generator().set_state(saved_generators_.back());
  saved_generators_.pop_back();
}

void Store::close() {
  closed_ = true;
  if (!saved_generators_.empty())
    throw Error(Exit::run_failed, "build ended between seed_push and seed_pop");
}

Entry* Store::find(std::string_view name) {
  const auto found = by_name_.find(std::string(name));
  return found == by_name_.end() ? nullptr : found->second;
}

std::vector<Entry*> Store::parameters() const {
  std::vector<Entry*> parameters;
  for (const auto& entry : entries_)
    if (entry->parameter) parameters.push_back(entry.get());
  return parameters;
}

std::size_t Store::set_trainable(std::string_view prefix, bool trainable) {
  std::size_t matches = 0;
  for (Entry* entry : parameters()) {
    if (!starts_with(entry->name, prefix)) continue;
    ++matches;
    if ((entry->tags & VISSL_TAG_NO_GRAD) == 0) entry->tensor.requires_grad_(trainable);
  }
  return matches;
}

StateDict Store::state_dict(std::string_view prefix) const {
  StateDict state;
  for (const auto& entry : entries_)
    if (entry->saved() && starts_with(entry->name, prefix))
      state.emplace_back(entry->name.substr(prefix.size()), entry->tensor.detach());
  return state;
}

void Store::load_state_dict(const StateDict& values, std::string_view prefix, bool strict,
                            const std::string& source) {
  std::vector<std::pair<Entry*, const at::Tensor*>> plan;
  std::unordered_map<const Entry*, bool> given;
  for (const auto& [name, value] : values) {
    Entry* entry = find(std::string(prefix) + name);
    if (entry == nullptr) {
      if (!strict) continue;
      throw Error(Exit::bad_data,
                  source + ": the model has no '" + std::string(prefix) + name + "'");
    }
    if (entry->tensor.sizes() != value.sizes())
      throw Error(Exit::bad_data,
                  c10::str(source, ": '", entry->name, "' has the shape ", value.sizes(),
                           " there, but ", entry->tensor.sizes(), " in this model"));
    plan.emplace_back(entry, &value);
    given[entry] = true;
  }
  for (const auto& entry : entries_)
    if (strict && entry->saved() && starts_with(entry->name, prefix) &&
        !given.contains(entry.get()))
      throw Error(Exit::bad_data, source + ": '" + entry->name + "' is missing");
  at::NoGradGuard no_grad;
  for (auto& [entry, value] : plan) entry->tensor.copy_(*value);
}

void Store::check_finite(const std::string& when) const {
  std::vector<at::Tensor> tensors;
  std::vector<const Entry*> checked;
  for (const auto& entry : entries_) {
    if (!entry->saved() || !entry->tensor.is_floating_point() || entry->tensor.numel() == 0)
      continue;
    tensors.push_back(entry->tensor.detach());
    checked.push_back(entry.get());
  }
  if (tensors.empty()) return;
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> largest =
      at::_foreach_norm(tensors, std::numeric_limits<double>::infinity());
  for (at::Tensor& one : largest) one = one.to(at::kDouble);
  const at::Tensor finite = at::isfinite(at::stack(largest)).cpu();
  for (std::size_t i = 0; i < checked.size(); ++i) {
    if (finite[static_cast<int64_t>(i)].item<bool>()) continue;
    throw Error(Exit::run_failed,
                "'" + checked[i]->name + "' is not finite any more at " + when +
                    "; nothing was saved over earlier checkpoints; lower the learning rate, or use "
                    "machine.precision = \"fp32\"");
  }
}

void Store::copy_from(const Store& source) {
  at::NoGradGuard no_grad;
  if (source.entries_.size() != entries_.size())
    throw Error(Exit::run_failed,
                c10::str("values cannot be copied between models with ", source.entries_.size(),
                         " and ", entries_.size(), " tensors"));
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Entry& from = *source.entries_[i];
    Entry& to = *entries_[i];
    if (from.name != to.name || from.tensor.sizes() != to.tensor.sizes())
      throw Error(Exit::run_failed,
                  c10::str("values cannot be copied: '", from.name, "' ", from.tensor.sizes(),
                           " stands where '", to.name, "' ", to.tensor.sizes(), " is expected"));
  }
  for (std::size_t i = 0; i < entries_.size(); ++i)
    entries_[i]->tensor.copy_(source.entries_[i]->tensor);
}

void Store::to(at::ScalarType dtype, at::Device device) {
  at::NoGradGuard no_grad;
  for (const auto& entry : entries_) {
    at::Tensor& tensor = entry->tensor;
    const auto wanted = tensor.is_floating_point() ? dtype : tensor.scalar_type();
    if (tensor.scalar_type() == wanted && tensor.device() == device) continue;
    tensor.set_data(tensor.to(device, wanted));
  }
}

}  // namespace vissl::host
