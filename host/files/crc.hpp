#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace vissl::host {

// CRC-32 as in zip, PNG and gzip. Pass the result of the bytes before to go on.
std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t before = 0);

// CRC-32C (Castagnoli), hidden as TFRecord files hide it: rotated and offset, so that a CRC of data
// that holds CRCs stays good.
std::uint32_t masked_crc32c(std::span<const std::byte> bytes);

}  // namespace vissl::host
