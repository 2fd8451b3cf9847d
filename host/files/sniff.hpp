#pragma once
// Which format a file of weights has, by its first bytes.
#include <cstddef>
#include <span>
#include <string>

namespace vissl::host {

enum class WeightsFormat { zip, torch_legacy, tar, safetensors, npy, pickle, json, gzip };

// Throws Error(Exit::bad_data) that says what the file is instead, as far as its bytes tell: empty,
// an LFS pointer, an error page, compressed, HDF5, ...
WeightsFormat sniff_weights(std::span<const std::byte> file, const std::string& name);

[[noreturn]] void throw_unknown_format(const std::string& name);

}  // namespace vissl::host
