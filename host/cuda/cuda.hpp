#pragma once
// The object behind the seam of host/runtime/device/cuda.hpp.
#include "host/runtime/device/cuda.hpp"

namespace vissl::host {

class CudaLibrary final : public Cuda {
 public:
  int device_count(std::string& reason) const override;
  Gpu gpu(int device) const override;
  CudaVersions versions() const override;
  void use(int device) override;
  Allocator pinned_memory(int device) const override;
  std::int64_t peak_bytes(int device) const override;
  c10::intrusive_ptr<c10d::Backend> make_nccl(const c10::intrusive_ptr<c10d::Store>& store,
                                              int rank, int world,
                                              std::chrono::milliseconds timeout,
                                              int device) override;
};

}  // namespace vissl::host
