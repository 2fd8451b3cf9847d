#include "host/runtime/device/open_cuda.hpp"

#include <dlfcn.h>

#include <filesystem>
#include <fstream>
#include <vissl_build.hpp>

namespace vissl::host {

namespace fs = std::filesystem;

namespace {

// The folder of the binary that this function is in.
fs::path own_folder() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<void*>(&own_folder), &info) == 0 || info.dli_fname == nullptr)
    return ".";
  std::error_code failed;
  const fs::path path = fs::canonical(info.dli_fname, failed);
  return failed ? fs::path(".") : path.parent_path();
}

std::string linker_problem() {
  const char* text = ::dlerror();
  return text != nullptr ? text : "unknown";
}

bool device_node_present() {
  for (const char* node : {"/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg"})  // the last is WSL's
    if (fs::exists(node)) return true;
  return false;
}

}  // namespace

Cuda* open_cuda(std::string& problem) {
  const fs::path path = own_folder() / "libvissl_cuda.so";
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    problem = "libvissl_cuda.so is not in '" + path.parent_path().string() +
              "'; run scripts/setup --cuda, which fetches CUDA's libraries, and scripts/build";
    return nullptr;
  }
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    problem = "libvissl_cuda.so cannot be opened: " + linker_problem() +
              "; run scripts/setup --cuda and scripts/build";
    return nullptr;
  }
  const auto entry = reinterpret_cast<CudaEntry>(::dlsym(library, VISSL_CUDA_SYMBOL));
  if (entry == nullptr) {
    problem = "'" + path.string() + "' has no " VISSL_CUDA_SYMBOL "; build it again";
    return nullptr;
  }
  return entry(VISSL_BUILD_ID, &problem);
}

bool nvidia_driver_present(std::string& problem) {
  // Never closed again: CUDA's runtime opens it too.
  if (::dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL) == nullptr) {
    problem = "this machine has no NVIDIA driver (" + linker_problem() + ")";
    return false;
  }
  if (!device_node_present()) {
    problem = "this machine has NVIDIA's driver library, but no GPU (no /dev/nvidia0)";
    return false;
  }
  return true;
}

std::string nvidia_driver_version() {
  std::ifstream file("/sys/module/nvidia/version");
  std::string version;
  return file >> version ? version : "?";
}

}  // namespace vissl::host
