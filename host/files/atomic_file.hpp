#pragma once
// Files that are either there in full or not at all, and the lock of a run's folder.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "host/files/sink.hpp"

namespace vissl::host {

// Writes to a temporary name in the target's folder ("NAME.HOST.PID.N.partial"); commit() syncs the
// data, renames it over the target and syncs the folder. Without commit() the temporary is removed
// and the target stays as it was.
//
// Every failure is Error(Exit::run_failed) that names the target, the cause and the remedy.
class AtomicFile final : public Sink {
 public:
  explicit AtomicFile(std::filesystem::path target);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile() override;

  void write(std::span<const std::byte> bytes) override;
  std::uint64_t size_bytes() const { return written_ + buffer_.size(); }
  void commit();

 private:
  void flush();
  void write_through(std::span<const std::byte> bytes);
  void discard() noexcept;
  [[noreturn]] void fail(int error);

  std::filesystem::path target_;
  std::filesystem::path partial_;
  std::vector<std::byte> buffer_;
  std::uint64_t written_ = 0;
  std::uint64_t write_back_ = 0;  // bytes that the kernel was already asked to write back
  int fd_ = -1;
};

// The whole of `text` as the new content of `target`.
void write_text_atomic(const std::filesystem::path& target, std::string_view text);

// Makes `link` a symbolic link with the given content (a name relative to the link's folder),
// replacing an older link in one step.
void symlink_atomic(const std::string& content, const std::filesystem::path& link);

// Makes earlier renames in `folder` durable.
void sync_folder(const std::filesystem::path& folder);

// Error(Exit::run_failed): "cannot write PATH: CAUSE; REMEDY; ...". `error` is an errno value.
[[noreturn]] void throw_write_error(const std::filesystem::path& path, int error);

// Exclusive use of a folder by one run, through flock on FOLDER/.lock. The kernel frees it when the
// process ends in any way.
class FolderLock {
 public:
  // The folder must exist. Throws Error(Exit::run_failed) "another run uses this folder" with host
  // and pid of the holder, or why the folder cannot be written. A file system without locks leaves
  // is_held() false and a sentence in warning().
  explicit FolderLock(std::filesystem::path folder);
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock();

  const std::filesystem::path& folder() const { return folder_; }
  bool is_held() const { return warning_.empty(); }
  const std::string& warning() const { return warning_; }

 private:
  std::filesystem::path folder_;
  std::string warning_;
  int fd_ = -1;
};

// Removes the temporaries that dead processes left in the lock's folder; call it at the start of a
// run, before anything is written. Those of live processes of this host stay; those of other hosts
// go only if the lock is held, because then no other run writes here. Returns the removed paths.
std::vector<std::filesystem::path> remove_stale_partials(const FolderLock& lock);

}  // namespace vissl::host
