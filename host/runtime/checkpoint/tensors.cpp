#include "host/runtime/checkpoint/tensors.hpp"

#include <ATen/ops/empty.h>
#include <c10/core/Storage.h>

#include <cstring>

namespace vissl::host {

TensorRef to_file(const at::Tensor& tensor) {
  at::Tensor cpu = tensor.detach().to(at::kCPU);
  if (!cpu.is_non_overlapping_and_dense()) cpu = cpu.contiguous();
  TensorRef ref;
  ref.dtype = static_cast<DType>(static_cast<int>(cpu.scalar_type()));
  ref.shape = cpu.sizes().vec();
  ref.strides = cpu.strides().vec();
  ref.offset = cpu.storage_offset();
  // One Storage object per libtorch storage would be needed to keep sharing; parameters and buffers
  // of a store never share.
  auto keep = std::make_shared<at::Tensor>(cpu);
  ref.storage = Storage::borrow(cpu.storage().data(), cpu.storage().nbytes(), keep);
  return ref;
}

at::Tensor from_file(const TensorRef& ref) {
  const auto type = static_cast<at::ScalarType>(static_cast<int>(ref.dtype));
  at::Tensor out = at::empty(ref.shape, at::TensorOptions().dtype(type));
  const std::vector<std::byte> bytes = ref.packed();
  if (!bytes.empty()) std::memcpy(out.data_ptr(), bytes.data(), bytes.size());
  return out;
}

}  // namespace vissl::host
