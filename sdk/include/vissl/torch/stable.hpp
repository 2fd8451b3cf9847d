#pragma once
// Tensors of the host as torch::stable::Tensor and back, for plugins on libtorch's stable ABI
// (torch/csrc/stable of a wheel from 2.10 on). Both are handles of the same at::Tensor: nothing is
// copied, autograd sees one graph. Link with vissl_use_libtorch(NAME STABLE) of the SDK's CMake
// package: the plugin then names libtorch_cpu.so as needed, and the host opens its own before it.
// [main]
#include <torch/csrc/stable/tensor.h>
#include <vissl/tensor.hpp>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

// A second owner of `tensor`, which is defined.
inline torch::stable::Tensor to_stable(const Tensor& tensor) {
  AtenTensorHandle handle = nullptr;
  TORCH_ERROR_CODE_CHECK(
      aoti_torch_new_tensor_handle(reinterpret_cast<AtenTensorHandle>(tensor.handle()), &handle));
  return torch::stable::Tensor(handle);
}

// A handle of the host, which may be returned to it.
inline Tensor from_stable(const torch::stable::Tensor& tensor) {
  return Tensor::borrow(reinterpret_cast<vissl_tensor*>(tensor.get()));
}

}  // namespace abi1
}  // namespace vissl
