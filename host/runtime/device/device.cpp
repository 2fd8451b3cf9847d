#include "host/runtime/device/device.hpp"

#include <torch/headeronly/version.h>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "host/runtime/device/open_cuda.hpp"

namespace vissl::host {

namespace {

// cuBLAS is deterministic only with a fixed workspace, and reads this once. A user's own value
// stays.
void fix_cublas_workspace() {
  ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
}

// The GPU of this process among `count`. Launchers that show each rank one GPU number it 0.
int gpu_of_rank(std::int64_t local_rank, int count) {
  if (local_rank < count) return static_cast<int>(local_rank);
  return count == 1 ? 0 : -1;
}

std::string visible_devices() {
  const char* variable = std::getenv("CUDA_VISIBLE_DEVICES");
  return variable == nullptr ? "" : " (CUDA_VISIBLE_DEVICES is '" + std::string(variable) + "')";
}

}  // namespace

RunDevice choose_device(const Setting& machine, std::int64_t local_rank, Logger& log) {
  const std::string name = machine.string("device");
  const bool wanted = name == "cuda";
  const auto refuse = [&](const std::string& problem) {
    throw Error(Exit::usage,
                machine["device"].where() + ": machine.device is \"cuda\", but " + problem);
  };
  std::string driver_problem;
  if (name == "cpu" || (!wanted && !nvidia_driver_present(driver_problem))) return {};

  if (machine.boolean("deterministic")) fix_cublas_workspace();
  std::string problem;
  Cuda* const cuda = open_cuda(problem);
  if (cuda == nullptr) {
    if (wanted) refuse(problem);
    log.log(LogLevel::warning, "this machine has a GPU, but the run is on the CPU: " + problem);
    return {};
  }
  const std::string elsewhere =
      "; run it on a machine with an NVIDIA GPU, or set machine.device to \"cpu\" or \"auto\"";
  if (wanted && !nvidia_driver_present(driver_problem)) refuse(driver_problem + elsewhere);
  const int count = cuda->device_count(problem);
  if (count == 0) {
    const CudaVersions versions = cuda->versions();
    const std::string text = "CUDA has no device here: " + problem + visible_devices() +
                             "; the driver serves CUDA " + versions.driver +
                             ", the libraries are of CUDA " + versions.runtime;
    if (wanted) refuse(text + elsewhere);
    log.log(LogLevel::warning, text + "; the run is on the CPU");
    return {};
  }
  const int gpu = gpu_of_rank(local_rank, count);
  if (gpu < 0)
    refuse("rank " + std::to_string(local_rank) + " of this machine has no GPU: there are " +
           std::to_string(count) + visible_devices() + "; start at most that many ranks on it");
  cuda->use(gpu);
  return {c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(gpu)), cuda};
}

std::string with_device(const std::string& environment_json, const RunDevice& run) {
  auto json = nlohmann::ordered_json::parse(environment_json);
  json["libtorch"] = TORCH_VERSION;
  if (run.cuda != nullptr) {
    const Gpu gpu = run.cuda->gpu(run.device.index());
    const CudaVersions versions = run.cuda->versions();
    json["gpu"] = {
        {"name", gpu.name},
        {"index", static_cast<int>(run.device.index())},
        {"memory_bytes", gpu.memory_bytes},
        {"compute_capability", std::to_string(gpu.major) + "." + std::to_string(gpu.minor)},
        {"multiprocessors", gpu.multiprocessors},
        {"driver", nvidia_driver_version()},
        {"driver_cuda", versions.driver},
        {"cuda", versions.runtime},
        {"cudnn", versions.cudnn},
        {"nccl", versions.nccl}};
  }
  return json.dump(2) + "\n";
}

std::string describe_gpu(const RunDevice& run) {
  const Gpu gpu = run.cuda->gpu(run.device.index());
  const CudaVersions versions = run.cuda->versions();
  char memory[32];
  std::snprintf(memory, sizeof memory, "%.1f GiB",
                static_cast<double>(gpu.memory_bytes) / (1024.0 * 1024.0 * 1024.0));
  return gpu.name + ", " + memory + ", compute capability " + std::to_string(gpu.major) + "." +
         std::to_string(gpu.minor) + "; driver " + nvidia_driver_version() + " for CUDA " +
         versions.driver + ", libraries of CUDA " + versions.runtime + ", cuDNN " + versions.cudnn +
         ", NCCL " + versions.nccl;
}

}  // namespace vissl::host
