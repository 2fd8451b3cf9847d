#pragma once
// A file that only grows, and that a resumed run may cut once.
#include <cstdint>
#include <filesystem>
#include <string_view>

namespace vissl::host {

// Bytes reach the kernel before write() returns: a killed process loses none of them. Errors are
// Error(Exit::run_failed) as in atomic_file.hpp.
class AppendFile {
 public:
  // Opens or makes the file.
  explicit AppendFile(std::filesystem::path path);
  AppendFile(AppendFile&& other) noexcept;
  AppendFile& operator=(AppendFile&&) = delete;
  ~AppendFile();

  void write(std::string_view bytes);
  // Keeps the first `size_bytes`.
  void cut(std::uint64_t size_bytes);
  // Makes all bytes so far durable.
  void sync();
  std::uint64_t size_bytes() const { return size_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::uint64_t size_ = 0;
  int fd_ = -1;
};

}  // namespace vissl::host
