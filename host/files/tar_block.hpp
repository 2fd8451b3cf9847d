#pragma once
// One 512-byte header of a tar file.
#include <cstddef>
#include <span>

namespace vissl::host {

inline constexpr std::size_t kTarBlock = 512;

// Whether `file` begins with a tar header whose checksum is right; old tar files have no other
// mark.
bool is_tar_header(std::span<const std::byte> file);

}  // namespace vissl::host
