#pragma once
// A zip file of stored (uncompressed) entries, written front to back.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "host/files/sink.hpp"

namespace vissl::host {

// The bytes depend only on the entries: the date is fixed (1980-01-01) and no host is recorded.
class ZipWriter {
 public:
  // Sizes and offsets from `zip64_from` on use 64-bit fields; lower than 0xffffffff only in tests.
  explicit ZipWriter(Sink& sink, std::uint64_t zip64_from = 0xffffffff)
      : sink_(sink), zip64_from_(zip64_from) {}

  // The data begins at a multiple of `alignment` (a power of two up to 4096) in the file. Names are
  // unique and at most 65,535 bytes long.
  void add(const std::string& name, std::span<const std::byte> data, std::uint32_t alignment = 64);
  void add_text(const std::string& name, std::string_view text) {
    add(name, std::as_bytes(std::span(text)));
  }
  // The directory; nothing may be added after it.
  void finish();

 private:
  struct Entry {
    std::string name;
    std::uint64_t size;
    std::uint64_t offset;
    std::uint32_t crc;
  };
  void put(const std::string& bytes);

  Sink& sink_;
  std::uint64_t zip64_from_;
  std::uint64_t offset_ = 0;
  std::vector<Entry> entries_;
};

}  // namespace vissl::host
