#pragma once
// A file in memory, as the readers of weights take it.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/files/dtype.hpp"
#include "host/files/storage.hpp"

namespace vissl::host {

struct FileBytes {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> keep_alive;  // holds `bytes`
  std::string name;                        // in errors: the path, or "PATH: member"
  std::string path = {};                   // of the file that is all of `bytes`; empty = none is
};

// Part of a file as the storage of elements of `dtype`: borrowed where the elements lie aligned and
// in this machine's byte order, otherwise copied at first touch. A borrowed one keeps `checksum`.
std::shared_ptr<Storage> file_storage(std::span<const std::byte> part,
                                      std::shared_ptr<const void> keep_alive, DType dtype,
                                      bool is_swapped,
                                      const std::optional<Storage::Checksum>& checksum = {});

// Takes the bytes over.
std::shared_ptr<Storage> owned_storage(std::vector<std::byte> bytes);

// Reverses the byte order of every element.
void swap_elements(std::span<std::byte> bytes, DType dtype);

}  // namespace vissl::host
