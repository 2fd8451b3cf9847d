#include "host/files/append_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "host/files/atomic_file.hpp"
#include "host/files/write_fault.hpp"

namespace vissl::host {

AppendFile::AppendFile(std::filesystem::path path) : path_(std::move(path)) {
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd_ < 0) throw_write_error(path_, errno);
  struct stat facts {};
  if (::fstat(fd_, &facts) != 0) {
    const int error = errno;
    ::close(fd_);
    throw_write_error(path_, error);
  }
  size_ = static_cast<std::uint64_t>(facts.st_size);
}

AppendFile::AppendFile(AppendFile&& other) noexcept
    : path_(std::move(other.path_)), size_(other.size_), fd_(std::exchange(other.fd_, -1)) {}

AppendFile::~AppendFile() {
  if (fd_ >= 0) ::close(fd_);
}

void AppendFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    std::size_t size = bytes.size();
    WriteFaultVerdict verdict;
    if (const WriteFault fault = write_fault.load()) {
      verdict = fault(WriteStep::write, size_, size);
      size = static_cast<std::size_t>(std::min<std::uint64_t>(size, verdict.allowed_bytes));
    }
    const ssize_t done = size == 0 ? 0 : ::write(fd_, bytes.data(), size);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) throw_write_error(path_, errno);
    if (verdict.crash) ::_exit(137);
    size_ += static_cast<std::uint64_t>(done);
    bytes.remove_prefix(static_cast<std::size_t>(done));
    if (verdict.error != 0) throw_write_error(path_, verdict.error);
  }
}

void AppendFile::cut(std::uint64_t size_bytes) {
  if (size_bytes == size_) return;
  if (::ftruncate(fd_, static_cast<off_t>(size_bytes)) != 0) throw_write_error(path_, errno);
  size_ = size_bytes;
}

void AppendFile::sync() {
  if (::fsync(fd_) != 0) throw_write_error(path_, errno);
}

}  // namespace vissl::host
