#include "host/cli/runtime_loader.hpp"

#include <dlfcn.h>

#include <filesystem>
#include <vissl_build.hpp>

#include "host/announce.hpp"
#include "host/plugin/crash_note.hpp"
#include "host/plugin/libtorch_use.hpp"

namespace fs = std::filesystem;

namespace vissl::host {

namespace {

fs::path runtime_path(const std::string& executable_folder) {
  const fs::path beside = fs::path(executable_folder) / "libvissl_runtime.so";
  const fs::path installed =
      (fs::path(executable_folder) / "../lib/vissl/libvissl_runtime.so").lexically_normal();
  const fs::path path = fs::exists(beside) ? beside : installed;
  if (!fs::exists(path))
    throw Error(Exit::run_failed, "this command needs libvissl_runtime.so, which is neither in '" +
                                      beside.parent_path().string() + "' nor in '" +
                                      installed.parent_path().string() +
                                      "'; build it (scripts/build) or install it there");
  return path;
}

// The loader counts: a second call returns the same library.
void* open_runtime(const fs::path& path) {
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = ::dlerror();
    throw Error(Exit::run_failed,
                "cannot open the runtime: " + std::string(reason != nullptr ? reason : "unknown") +
                    "; run scripts/setup, which fetches libtorch");
  }
  also_ask_for_mapped(reinterpret_cast<MappedName>(::dlsym(library, VISSL_MAPPED_NAME_SYMBOL)));
  return library;
}

}  // namespace

HostServices::Libtorch libtorch_of_runtime(const std::string& executable_folder) {
  return {[executable_folder] { return read_fingerprint(runtime_path(executable_folder)); },
          [executable_folder] { open_runtime(runtime_path(executable_folder)); }};
}

bool announce_failure(const Ranks& ranks, const Error& error,
                      const std::string& executable_folder) {
  try {
    const auto entry = reinterpret_cast<AnnounceEntry>(
        ::dlsym(open_runtime(runtime_path(executable_folder)), VISSL_ANNOUNCE_SYMBOL));
    return entry != nullptr && entry(VISSL_BUILD_ID, &ranks, &error);
  } catch (const Error&) {
    return false;  // the runtime is what is missing
  }
}

Runtime& load_runtime(const Services& services, const std::string& executable_folder) {
  const fs::path path = runtime_path(executable_folder);
  void* const library = open_runtime(path);
  const auto entry = reinterpret_cast<RuntimeEntry>(::dlsym(library, VISSL_RUNTIME_SYMBOL));
  if (entry == nullptr)
    throw Error(Exit::run_failed, "'" + path.string() +
                                      "' is no vissl runtime: it has no " VISSL_RUNTIME_SYMBOL
                                      "; build it again");
  std::string error;
  Runtime* runtime = entry(&services, &error);
  if (runtime == nullptr)
    throw Error(Exit::run_failed, "the runtime '" + path.string() + "' does not start: " + error);
  return *runtime;
}

}  // namespace vissl::host
