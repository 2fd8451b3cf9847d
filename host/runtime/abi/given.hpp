#pragma once
// Tensors that a plugin has to give.
#include <ATen/core/Tensor.h>
#include <vissl/tensor.h>

namespace vissl::host {

// The tensor behind a handle that a plugin passed to `function`. Throws Error(run_failed) for NULL,
// which is what a vissl::Tensor that was never set has. [any]
at::Tensor& given(vissl_tensor* handle, const char* function);

}  // namespace vissl::host
