#include "host/runtime/conformance/ledger.hpp"

#include <ATen/core/Tensor.h>

namespace vissl::host {
namespace {
Ledger* g_ledger = nullptr;
}

Ledger::Ledger() {
  g_ledger = this;
  watch_handles(this);
}

Ledger::~Ledger() {
  watch_handles(nullptr);
  g_ledger = nullptr;
  for (const auto& [handle, state] : handles_)
    if (state == State::released) delete reinterpret_cast<const at::Tensor*>(handle);
}

Ledger* Ledger::current() {
  return g_ledger;
}

Ledger::State Ledger::state(const vissl_tensor* handle) const {
  std::lock_guard lock(mutex_);
  const auto found = handles_.find(handle);
  return found == handles_.end() ? State::unknown : found->second;
}

std::int64_t Ledger::owned() const {
  std::lock_guard lock(mutex_);
  return owned_;
}

std::string Ledger::take_fault() {
  std::lock_guard lock(mutex_);
  return std::exchange(fault_, std::string());
}

void Ledger::fault(const std::string& text) {
  std::lock_guard lock(mutex_);
  if (fault_.empty()) fault_ = text;
}

void Ledger::made(vissl_tensor* handle) {
  std::lock_guard lock(mutex_);
  handles_[handle] = State::owned;
  ++owned_;
}

bool Ledger::dropped(vissl_tensor* handle) {
  at::Tensor content;  // goes when the lock is gone: its graph may call the plugin again
  std::lock_guard lock(mutex_);
  const auto found = handles_.find(handle);
  if (found == handles_.end()) {
    if (fault_.empty()) fault_ = "releases a handle that it does not own, e.g. a borrowed input";
  } else if (found->second == State::released) {
    if (fault_.empty()) fault_ = "releases a handle twice";
  } else {
    found->second = State::released;
    --owned_;
    content = std::move(*reinterpret_cast<at::Tensor*>(handle));
  }
  return false;
}

}  // namespace vissl::host
