#pragma once
#include <vissl/abi.h>

#include <cstddef>
#include <cstdint>

namespace vissl::fuzz {

// What the first component of the plugin, a weights_format, takes of these bytes for its own, it
// opens, and reads to the last byte. Aborts where the plugin breaks the format's contract, whatever
// the bytes are.
void run_format(const vissl_plugin& plugin, const std::uint8_t* data, std::size_t size);

}  // namespace vissl::fuzz
