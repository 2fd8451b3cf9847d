#include "host/runtime/abi/handle.hpp"

#include <atomic>

#include "host/runtime/abi/handle_watch.hpp"

namespace vissl::host {

namespace {
std::atomic<int64_t> live{0};
std::atomic<HandleWatch*> watcher{nullptr};
}  // namespace

void watch_handles(HandleWatch* watch) noexcept {
  watcher.store(watch, std::memory_order_release);
}

vissl_tensor* wrap(at::Tensor tensor) {
  if (!tensor.defined()) return nullptr;
  auto* handle = new at::Tensor(std::move(tensor));
  live.fetch_add(1, std::memory_order_relaxed);
  auto* const made = reinterpret_cast<vissl_tensor*>(handle);
  if (HandleWatch* watch = watcher.load(std::memory_order_acquire)) watch->made(made);
  return made;
}

void release_handle(vissl_tensor* handle) noexcept {
  if (handle == nullptr) return;
  if (HandleWatch* watch = watcher.load(std::memory_order_acquire))
    if (!watch->dropped(handle)) return;
  delete reinterpret_cast<at::Tensor*>(handle);
  live.fetch_sub(1, std::memory_order_relaxed);
}

at::Tensor take(vissl_tensor* handle) {
  if (handle == nullptr) return {};
  at::Tensor tensor = std::move(unwrap(handle));
  release_handle(handle);
  return tensor;
}

std::vector<vissl_tensor*> borrow_all(std::span<const at::Tensor> tensors) {
  std::vector<vissl_tensor*> handles;
  handles.reserve(tensors.size());
  for (const at::Tensor& tensor : tensors) handles.push_back(borrow(tensor));
  return handles;
}

int64_t live_handles() noexcept {
  return live.load(std::memory_order_relaxed);
}

}  // namespace vissl::host
