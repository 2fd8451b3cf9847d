#include "host/files/tar_block.hpp"

#include <cstdint>

namespace vissl::host {

bool is_tar_header(std::span<const std::byte> file) {
  constexpr std::size_t kChecksumAt = 148;
  constexpr std::size_t kChecksumSize = 8;
  if (file.size() < kTarBlock || file[0] == std::byte{0}) return false;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kTarBlock; ++i) {
    // The checksum itself counts as spaces.
    const bool is_checksum = i >= kChecksumAt && i < kChecksumAt + kChecksumSize;
    sum += is_checksum ? std::uint64_t{' '} : static_cast<std::uint64_t>(file[i]);
  }
  std::uint64_t stored = 0;
  bool has_digit = false;
  for (std::size_t i = kChecksumAt; i < kChecksumAt + kChecksumSize; ++i) {
    const auto c = static_cast<char>(file[i]);
    if (c >= '0' && c <= '7') {
      stored = stored * 8 + static_cast<std::uint64_t>(c - '0');
      has_digit = true;
    } else if (c != ' ' || has_digit) {
      break;
    }
  }
  return has_digit && stored == sum;
}

}  // namespace vissl::host
