#pragma once
// A vissl_tensor* is a heap-allocated at::Tensor (libtorch's AtenTensorHandle). Handles that cross
// to plugins as "owned" are made and dropped here and nowhere else, so that tests can count them.
// Borrowed handles point into the store or into a caller's array. [any]
#include <ATen/core/Tensor.h>
#include <vissl/tensor.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vissl::host {

// The tensor behind a handle; `handle` is not NULL.
inline at::Tensor& unwrap(vissl_tensor* handle) {
  return *reinterpret_cast<at::Tensor*>(handle);
}
inline const at::Tensor& unwrap(const vissl_tensor* handle) {
  return *reinterpret_cast<const at::Tensor*>(handle);
}

// A new owned handle; the receiver gives it back to `release_handle`. An undefined tensor gives
// NULL.
vissl_tensor* wrap(at::Tensor tensor);

// Drops an owned handle; NULL allowed.
void release_handle(vissl_tensor* handle) noexcept;

// Takes the tensor out of an owned handle and drops the handle; NULL gives an undefined tensor.
at::Tensor take(vissl_tensor* handle);

// A borrowed handle of a tensor that outlives the call; NULL when undefined.
inline vissl_tensor* borrow(at::Tensor& tensor) {
  return tensor.defined() ? reinterpret_cast<vissl_tensor*>(&tensor) : nullptr;
}
inline vissl_tensor* borrow(const at::Tensor& tensor) {
  return borrow(const_cast<at::Tensor&>(tensor));
}

// Borrowed handles of a list, NULL for undefined elements. Valid while `tensors` is neither resized
// nor destroyed.
std::vector<vissl_tensor*> borrow_all(std::span<const at::Tensor> tensors);

// Owned handles that exist now, over all threads.
int64_t live_handles() noexcept;

inline std::string_view view(vissl_str s) {
  return {s.data == nullptr ? "" : s.data, static_cast<std::size_t>(s.size)};
}
inline std::string text(vissl_str s) {
  return std::string(view(s));
}
inline vissl_str str(std::string_view s) {
  return {s.data(), s.size()};
}  // borrowed from s

}  // namespace vissl::host
