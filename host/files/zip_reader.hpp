#pragma once
// The directory of a zip file and its entries, checked against the file before anything is used.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "host/files/storage.hpp"

namespace vissl::host {

struct ZipEntry {
  std::string name;
  std::uint64_t header_offset = 0;
  std::uint64_t data_offset = 0;
  std::uint64_t stored_bytes = 0;  // in the file
  std::uint64_t size_bytes = 0;    // after inflating
  std::uint32_t crc = 0;
  bool is_deflated = false;
};

// Reads 32- and 64-bit zip files with stored and deflated entries. The entries' ranges lie inside
// the file, do not overlap, and have unique names without "..": all checked by the constructor.
class ZipReader {
 public:
  // `file` must stay valid; `name` is used in errors. Throws Error(Exit::bad_data) that names the
  // file, what is wrong and the byte.
  ZipReader(std::span<const std::byte> file, std::string name);

  const std::vector<ZipEntry>& entries() const { return entries_; }
  const ZipEntry* find(const std::string& name) const;
  // The bytes as they lie in the file; only of a stored entry.
  std::span<const std::byte> stored(const ZipEntry& entry) const;
  // The contents of any entry, copied; refuses more than `limit_bytes` and a ratio above 200:1.
  std::vector<std::byte> contents(const ZipEntry& entry, std::uint64_t limit_bytes) const;
  // The first `limit_bytes` of the contents, fewer if it has no more.
  std::vector<std::byte> start(const ZipEntry& entry, std::uint64_t limit_bytes) const;
  // Whether the directory gives `contents` its checksum; true for all of an archive without any, as
  // torch.save writes after set_crc32_options(False).
  bool has_crc(const ZipEntry& entry, std::span<const std::byte> contents) const;
  // What it gives a stored entry; nothing for an archive without any.
  std::optional<Storage::Checksum> checksum(const ZipEntry& entry) const;
  // Throws if `contents` has another checksum than the directory says.
  void check_crc(const ZipEntry& entry, std::span<const std::byte> contents) const;

 private:
  struct Directory {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::uint64_t count = 0;
    std::uint64_t end_record = 0;  // where the records after the directory begin
  };
  std::uint64_t number(std::uint64_t at, int size_bytes) const;
  Directory find_directory() const;
  void read_directory(const Directory& directory);
  void read_zip64_extra(ZipEntry& entry, std::uint64_t at, std::uint64_t size) const;
  void check_local_header(ZipEntry& entry, std::uint64_t central, std::uint64_t end) const;
  std::vector<std::byte> inflated(const ZipEntry& entry, std::uint64_t size_bytes) const;
  void check_ranges(const Directory& directory) const;
  [[noreturn]] void damaged(const std::string& what, std::uint64_t where) const;

  std::span<const std::byte> file_;
  std::string name_;
  std::vector<ZipEntry> entries_;
  std::unordered_map<std::string, std::size_t> index_;
  bool has_crcs_ = false;  // else all are zero
};

}  // namespace vissl::host
