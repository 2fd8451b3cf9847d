#include "host/runtime/abi/handle.hpp"

#include <atomic>

namespace vissl::host {

namespace {
std::atomic<int64_t> live{0};
}

vissl_tensor* wrap(at::Tensor tensor) {
  if (!tensor.defined()) return nullptr;
  auto* handle = new at::Tensor(std::move(tensor));
  live.fetch_add(1, std::memory_order_relaxed);
  return reinterpret_cast<vissl_tensor*>(handle);
}

void release_handle(vissl_tensor* handle) noexcept {
  if (handle == nullptr) return;
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
