#pragma once
// at::Tensor <-> the tensors of files. [main]
#include <ATen/core/Tensor.h>

#include "host/files/node.hpp"

namespace vissl::host {

// Shares the tensor's storage when it is in CPU memory, else copies it there. The bytes must not
// change until they are written.
TensorRef to_file(const at::Tensor& tensor);

// A new CPU tensor with its own memory and the same dtype, shape and strides order (row-major).
// Throws Error(bad_data) for an element type that libtorch does not have.
at::Tensor from_file(const TensorRef& tensor);

}  // namespace vissl::host
