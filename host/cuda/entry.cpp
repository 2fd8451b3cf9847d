// The one exported symbol of libvissl_cuda.so.
#include <string_view>
#include <vissl_build.hpp>

#include "host/cuda/cuda.hpp"

extern "C" __attribute__((visibility("default"))) vissl::host::Cuda* vissl_cuda_entry(
    const char* build_id, std::string* error) {
  if (build_id == nullptr || std::string_view(build_id) != VISSL_BUILD_ID) {
    *error = std::string("libvissl_cuda.so has the build id ") + VISSL_BUILD_ID +
             ", but the runtime has " + (build_id == nullptr ? "none" : build_id) +
             "; install both from one build";
    return nullptr;
  }
  static auto* const library = new vissl::host::CudaLibrary;  // never destroyed, like libtorch
  return library;
}
