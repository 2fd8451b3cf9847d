#pragma once
// Reads the zip container of torch.save. No code of the file runs: see pickle_reader.hpp.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "host/files/node.hpp"

namespace vissl::host {

struct TorchZipReadOptions {
  // Compare every entry's checksum while loading; reads all data once. Off: only the pickle's.
  bool verify = true;
  int deepest = 1000;                    // levels of nesting
  std::uint64_t most_nodes = 4'000'000;  // of the tree, shared ones counted each time
  std::uint64_t largest_pickle = std::uint64_t{1} << 30;  // bytes
};

// Tensors borrow from the mapped file, which their storages keep open: their bytes are read when
// they are touched. Entries that are deflated, big-endian or badly aligned are copied instead.
// Objects of classes without a meaning here become opaque nodes.
//
// Throws Error(Exit::bad_data) "FILE: WHAT (byte N); REMEDY" for whatever is wrong with the file. A
// damaged file either throws or gives the same values as the whole one, if `verify` is on.
Node read_torch_zip(const std::filesystem::path& path, const TorchZipReadOptions& options = {});

// The same from memory: `keep_alive` holds `file`; `name` stands for the path in errors.
Node read_torch_zip(std::span<const std::byte> file, std::shared_ptr<const void> keep_alive,
                    const std::string& name, const TorchZipReadOptions& options = {});

}  // namespace vissl::host
