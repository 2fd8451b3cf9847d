#pragma once
// Writes tensors as a safetensors file, byte for byte as the format's own package does.
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "host/files/node.hpp"
#include "host/files/sink.hpp"

namespace vissl::host {

using NamedTensors = std::vector<std::pair<std::string, TensorRef>>;
using TextPairs = std::vector<std::pair<std::string, std::string>>;

// Tensors stand in the format's order (larger elements first, then by name), whatever theirs here;
// `metadata` keeps its order. Shared storages are written once for each tensor: the format knows no
// sharing. Throws Error(Exit::run_failed) for what the format cannot hold: complex32, complex128
// and quantised tensors, two tensors of one name, a name that is not UTF-8; and whatever the sink
// throws.
void write_safetensors(Sink& sink, const NamedTensors& tensors, const TextPairs& metadata = {});

// The whole file in one step (see AtomicFile).
void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const TextPairs& metadata = {});

}  // namespace vissl::host
