#pragma once
// The device of a run.
#include <c10/core/Device.h>

#include "host/boundary.hpp"
#include "host/runtime/device/cuda.hpp"
#include "host/runtime/setting.hpp"

namespace vissl::host {

struct RunDevice {
  c10::Device device = c10::Device(c10::kCPU);
  Cuda* cuda = nullptr;  // of a run on a GPU, else NULL
};

// What machine.device means for this process: "cuda" is the GPU with the number `local_rank` among
// the visible ones, or the only one that is visible; "auto" is the same where there is a GPU and
// libvissl_cuda.so, else the CPU. To be called before the first operator call. Throws Error(usage)
// that says what "cuda" lacks here. [main]
RunDevice choose_device(const Setting& machine, std::int64_t local_rank, Logger& log);

// The JSON object `environment_json` with what libtorch and the device are added: "libtorch", and
// on a GPU "gpu" with its name, memory, capability, driver and libraries.
std::string with_device(const std::string& environment_json, const RunDevice& run);

// "NVIDIA H200, 139.8 GiB, compute capability 9.0; driver 570.124.06 …": one line for people.
std::string describe_gpu(const RunDevice& run);

}  // namespace vissl::host
