#include "host/files/line_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>

#include "host/files/atomic_file.hpp"
#include "host/files/mapped_file.hpp"
#include "host/files/write_fault.hpp"

namespace vissl::host {
namespace {

// The end of the last whole line within the first `limit` bytes.
std::uint64_t end_of_lines(int fd, std::uint64_t limit) {
  std::array<char, 4096> piece;
  while (limit > 0) {
    const std::uint64_t from = limit - std::min<std::uint64_t>(limit, piece.size());
    const ssize_t size = ::pread(fd, piece.data(), limit - from, static_cast<off_t>(from));
    if (size != static_cast<ssize_t>(limit - from)) return 0;
    const std::string_view text(piece.data(), static_cast<std::size_t>(size));
    if (const auto newline = text.rfind('\n'); newline != std::string_view::npos) {
      return from + newline + 1;
    }
    limit = from;
  }
  return 0;
}

}  // namespace

LineFile::LineFile(std::filesystem::path path, std::uint64_t keep_bytes) : path_(std::move(path)) {
  fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd_ < 0) throw_write_error(path_, errno);
  struct stat facts {};
  int error = ::fstat(fd_, &facts) == 0 ? 0 : errno;
  if (error == 0) {
    const auto size = static_cast<std::uint64_t>(facts.st_size);
    size_ = end_of_lines(fd_, std::min(size, keep_bytes));
    if (size_ != size && ::ftruncate(fd_, static_cast<off_t>(size_)) != 0) error = errno;
  }
  if (error != 0) {
    ::close(fd_);
    throw_write_error(path_, error);
  }
}

LineFile::~LineFile() {
  ::close(fd_);
}

void LineFile::write_line(std::string_view line) {
  if (line.find('\n') != std::string_view::npos) {
    throw std::logic_error("a line of a log file holds a newline");
  }
  std::string bytes(line);
  bytes += '\n';
  std::string_view rest = bytes;
  while (!rest.empty()) {
    if (const WriteFault fault = write_fault.load()) {
      const WriteFaultVerdict verdict = fault(WriteStep::write, size_, rest.size());
      if (verdict.error != 0) throw_write_error(path_, verdict.error);
    }
    const ssize_t done = ::write(fd_, rest.data(), rest.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) throw_write_error(path_, errno);
    rest.remove_prefix(static_cast<std::size_t>(done));
    size_ += static_cast<std::uint64_t>(done);
  }
}

void LineFile::sync() {
  if (::fsync(fd_) != 0) throw_write_error(path_, errno);
}

void filter_lines(const std::filesystem::path& path,
                  const std::function<bool(std::string_view line)>& keep) {
  if (!std::filesystem::exists(path)) return;
  std::string kept;
  {
    const auto file = MappedFile::open(path);
    std::string_view rest(reinterpret_cast<const char*>(file->bytes().data()),
                          file->bytes().size());
    for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      if (keep(rest.substr(0, end))) kept += rest.substr(0, end + 1);
      rest.remove_prefix(end + 1);
    }
    if (kept.size() == file->bytes().size()) return;
  }
  write_text_atomic(path, kept);
}

}  // namespace vissl::host
