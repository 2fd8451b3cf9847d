#include "host/cuda/cuda.hpp"

#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <cuda_runtime_api.h>
#include <nccl.h>

namespace vissl::host {

namespace {

constexpr const char* kUnknown = "?";

// CUDA writes 13.1 as 13010.
std::string cuda_version(int number) {
  return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
}

// NCCL writes 2.28.9 as 22809, cuDNN 9.19.0 as 91900.
std::string library_version(int number) {
  return std::to_string(number / 10000) + "." + std::to_string(number / 100 % 100) + "." +
         std::to_string(number % 100);
}

std::string cudnn_version() {
  const auto& hooks = at::detail::getCUDAHooks();
  return hooks.hasCuDNN() ? library_version(static_cast<int>(hooks.versionRuntimeCuDNN()))
                          : kUnknown;
}

}  // namespace

int CudaLibrary::device_count(std::string& reason) const {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaSuccess && count > 0) return count;
  reason = status == cudaSuccess ? "no device is visible" : cudaGetErrorString(status);
  cudaGetLastError();  // later calls must not report this error as theirs
  return 0;
}

Gpu CudaLibrary::gpu(int device) const {
  cudaDeviceProp properties{};
  C10_CUDA_CHECK(cudaGetDeviceProperties(&properties, device));
  return {properties.name, static_cast<std::int64_t>(properties.totalGlobalMem), properties.major,
          properties.minor, properties.multiProcessorCount};
}

CudaVersions CudaLibrary::versions() const {
  int runtime = 0, driver = 0, nccl = 0;
  const bool has_runtime = cudaRuntimeGetVersion(&runtime) == cudaSuccess;
  const bool has_driver = cudaDriverGetVersion(&driver) == cudaSuccess && driver > 0;
  const bool has_nccl = ncclGetVersion(&nccl) == ncclSuccess;
  return {has_runtime ? cuda_version(runtime) : kUnknown,
          has_driver ? cuda_version(driver) : kUnknown, cudnn_version(),
          has_nccl ? library_version(nccl) : kUnknown};
}

void CudaLibrary::use(int device) {
  c10::cuda::set_device(static_cast<c10::DeviceIndex>(device));
  at::globalContext().lazyInitDevice(at::kCUDA);
}

Allocator CudaLibrary::pinned_memory(int device) const {
  const auto index = static_cast<c10::DeviceIndex>(device);
  // A thread's first call to CUDA opens its current device; without the guard that is number 0.
  return {[index](std::size_t bytes) -> void* {
            const c10::cuda::CUDAGuard guard(index);
            void* memory = nullptr;
            if (cudaHostAlloc(&memory, bytes, cudaHostAllocDefault) == cudaSuccess) return memory;
            cudaGetLastError();
            return nullptr;
          },
          [index](void* memory, std::size_t) {
            const c10::cuda::CUDAGuard guard(index);
            C10_CUDA_CHECK_WARN(cudaFreeHost(memory));
          }};
}

std::int64_t CudaLibrary::peak_bytes(int device) const {
  const auto stats =
      c10::cuda::CUDACachingAllocator::getDeviceStats(static_cast<c10::DeviceIndex>(device));
  constexpr auto kAll = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  return stats.allocated_bytes[kAll].peak;
}

}  // namespace vissl::host
