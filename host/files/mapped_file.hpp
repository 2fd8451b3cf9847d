#pragma once
// A whole file mapped read-only.
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace vissl::host {

// The mapping lives as long as the object; pages are read when they are first touched. A file that
// somebody cuts while it is mapped kills the process (SIGBUS): our own files are only ever replaced
// by rename, which keeps the mapped one whole.
class MappedFile {
 public:
  // Throws Error(Exit::bad_data) if the file is missing, unreadable or not a regular file.
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path);

  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }

  // Pages of a mapped file that hold `bytes` leave this process' memory; touching them brings them
  // back. Bytes that no MappedFile holds stay as they are. Any thread.
  static void let_go(std::span<const std::byte> bytes) noexcept;

  const std::string& name() const { return name_; }

 private:
  MappedFile(std::string name, const std::byte* data, std::size_t size);

  std::string name_;
  const std::byte* data_;
  std::size_t size_;
};

}  // namespace vissl::host
