#pragma once
// Writes a tree as the zip container of torch.save; Python reads it with
// torch.load(path, weights_only=True), also with mmap=True.
#include <string>

#include "host/files/node.hpp"
#include "host/files/sink.hpp"

namespace vissl::host {

struct TorchZipOptions {
  std::string root = "archive";           // the one top folder inside the zip
  std::uint64_t zip64_from = 0xffffffff;  // see ZipWriter; lower only in tests
};

// Equal trees give equal bytes. A storage that several tensors share is written once, whole. A
// tensor's data is read once for its checksum and once to be written; nothing is copied.
// Throws Error(Exit::run_failed) for what the format cannot hold: a tree deeper than 1,000 levels,
// an opaque node, a quantised tensor, a tensor outside its storage, one storage seen as two element
// types, text that is not UTF-8; and whatever the sink throws.
void write_torch_zip(Sink& sink, const Node& tree, const TorchZipOptions& options = {});

}  // namespace vissl::host
