// One fuzz target as libFuzzer wants it; CMake says which.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "fuzz/targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static void (*const run)(std::span<const std::byte>) = [] {
    for (const vissl::fuzz::Target& target : vissl::fuzz::targets()) {
      if (std::string_view(target.name) == VISSL_FUZZ_TARGET) return target.run;
    }
    std::abort();
  }();
  run(std::as_bytes(std::span(data, size)));
  return 0;
}
