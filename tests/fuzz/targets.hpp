#pragma once
// What the fuzzer calls with any bytes: one function for each reader of weights.
#include <cstddef>
#include <span>

namespace vissl::fuzz {

struct Target {
  const char* name;
  // Reads `file` and touches what it gives. Whatever is wrong with the file is an Error of
  // Exit::bad_data, which is caught; anything else escapes and is a defect.
  void (*run)(std::span<const std::byte> file);
};

std::span<const Target> targets();

}  // namespace vissl::fuzz
