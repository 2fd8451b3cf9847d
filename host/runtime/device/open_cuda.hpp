#pragma once
#include "host/runtime/device/cuda.hpp"

namespace vissl::host {

// Opens libvissl_cuda.so, which lies beside the runtime, and CUDA's libraries with it. It must come
// before the first operator call: libtorch asks once whether it has CUDA, and keeps the answer.
// Gives NULL with half a sentence in `problem` ("libvissl_cuda.so is not in …") and the remedy in
// it when the library is absent, cannot be opened or is of another build. Throws nothing. [main]
Cuda* open_cuda(std::string& problem);

// True when an NVIDIA driver serves this process: its library can be opened and a device node is
// there. Costs milliseconds and opens nothing of CUDA's toolkit. `problem` says what is missing.
bool nvidia_driver_present(std::string& problem);

// The version of the kernel's driver, "570.124.06"; "?" where the kernel does not tell.
std::string nvidia_driver_version();

}  // namespace vissl::host
