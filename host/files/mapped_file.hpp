#pragma once
// A whole file mapped read-only.
#include <sys/stat.h>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace vissl::host {

// The mapping lives as long as the object; pages are read when they are first touched. A file that
// somebody cuts while it is mapped raises SIGBUS where it is touched, which ends the process with
// one sentence (crash_note.hpp). Our own files are only ever replaced by rename, which keeps the
// mapped one whole, and most of what a run reads of tensors it reads by read_into, which throws
// instead.
class MappedFile : public std::enable_shared_from_this<MappedFile> {
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

  // The mapping that holds all of `bytes`, NULL when there is none. Any thread.
  static std::shared_ptr<const MappedFile> of(std::span<const std::byte> bytes);

  // The name, printable, of the file whose mapping holds `address`, NULL = none. For the handler of
  // a signal that touching a mapping raised.
  static const char* name_at(const void* address) noexcept;

  // Whether these are the facts of the mapped file itself, whatever its length is by now.
  bool is_of(const struct stat& facts) const {
    return facts.st_dev == device_ && facts.st_ino == number_;
  }

  const std::string& name() const { return name_; }

 private:
  MappedFile(std::string name, const std::byte* data, const struct stat& facts);

  std::string name_;
  std::string shown_;  // a handler may not allocate
  const std::byte* data_;
  std::size_t size_;
  dev_t device_;
  ino_t number_;  // with the device: which file it is
};

}  // namespace vissl::host
