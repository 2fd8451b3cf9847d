// The exported symbols of libvissl_runtime.so.
#include <memory>
#include <vissl/torch/native.hpp>
#include <vissl_build.hpp>

#include "host/announce.hpp"
#include "host/files/mapped_file.hpp"
#include "host/runtime/abi/guard.hpp"
#include "host/runtime/dist/announce.hpp"
#include "host/runtime/runtime.hpp"

// Which libtorch this is, for the executable to compare with what a native plugin was compiled for.
VISSL_NATIVE_TEXT(own_fingerprint);

extern "C" __attribute__((visibility("default"))) vissl::host::Runtime* vissl_runtime_entry(
    const vissl::host::Services* services, std::string* error) {
  using namespace vissl::host;
  try {
    if (services->build_id == nullptr || std::string_view(services->build_id) != VISSL_BUILD_ID)
      throw Error(Exit::bad_plugin,
                  std::string("libvissl_runtime.so has the build id ") + VISSL_BUILD_ID +
                      ", but this executable has " +
                      (services->build_id == nullptr ? "none" : services->build_id) +
                      "; install both from one build");
    // Lives until the process ends, as plugins keep its tables.
    static TorchRuntime* runtime = nullptr;
    if (runtime != nullptr) throw Error(Exit::run_failed, "the runtime is started twice");
    runtime = std::make_unique<TorchRuntime>(*services).release();
    return runtime;
  } catch (...) {
    *error = current_exception_text();
    return nullptr;
  }
}

extern "C" __attribute__((visibility("default"))) const char* vissl_runtime_mapped_name(
    const void* address) noexcept {
  return vissl::host::MappedFile::name_at(address);
}

extern "C" __attribute__((visibility("default"))) bool vissl_runtime_announce(
    const char* build_id, const vissl::host::Ranks* ranks, const vissl::host::Error* error) {
  if (std::string_view(build_id) != VISSL_BUILD_ID) return false;
  constexpr std::chrono::seconds kPatience{10};
  try {
    return vissl::host::announce(*ranks, *error, kPatience);
  } catch (...) {
    return false;  // nobody is there to be told
  }
}
