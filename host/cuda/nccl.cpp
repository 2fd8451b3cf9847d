#define USE_C10D_NCCL  // libtorch's header hides the class without it
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include "host/cuda/cuda.hpp"

namespace vissl::host {

c10::intrusive_ptr<c10d::Backend> CudaLibrary::make_nccl(
    const c10::intrusive_ptr<c10d::Store>& store, int rank, int world,
    std::chrono::milliseconds timeout, int device) {
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = timeout;
  auto backend = c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank, world, options);
  // Without it a barrier guesses the device from the rank.
  backend->setBoundDeviceId(at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(device)));
  return backend;
}

}  // namespace vissl::host
