#include "host/files/atomic_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "host/files/error.hpp"
#include "host/files/host_name.hpp"
#include "host/files/write_fault.hpp"

namespace vissl::host {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
constexpr std::size_t kLargestWrite = std::size_t{32} << 20;

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

std::filesystem::path partial_name(const std::filesystem::path& target) {
  static std::atomic<unsigned> counter{0};
  std::filesystem::path name = target;
  name += "." + host_name() + "." + std::to_string(::getpid()) + "." +
          std::to_string(counter.fetch_add(1)) + ".partial";
  return name;
}

// The errno value that a test wants this step to meet, or 0.
int injected(WriteStep step, std::uint64_t size_bytes) {
  const WriteFault fault = write_fault.load();
  if (fault == nullptr) return 0;
  const WriteFaultVerdict verdict = fault(step, 0, size_bytes);
  if (verdict.crash) ::_exit(137);
  return verdict.error;
}

std::string remedy(const std::filesystem::path& path, int error) {
  const std::string folder = folder_of(path).string();
  switch (error) {
    case ENOSPC:
      return "free space on the disk of " + folder + " or set checkpoint.dir to another disk";
    case EDQUOT:
      return "free space in your quota or set checkpoint.dir to another disk";
    case EFBIG:
      return "raise the file size limit (ulimit -f) or set checkpoint.dir to another file system";
    case EACCES:
    case EPERM:
      return "make " + folder + " writable for this user or set checkpoint.dir to another folder";
    case EROFS:
      return folder + " is on a read-only file system, set checkpoint.dir to another folder";
    case ENOENT:
    case ENOTDIR:
      return "make the folder " + folder + " first";
    default:
      return "check the disk of " + folder;
  }
}

}  // namespace

void throw_write_error(const std::filesystem::path& path, int error) {
  throw Error(Exit::run_failed, "cannot write " + path.string() + ": " + std::strerror(error) +
                                    "; " + remedy(path, error) +
                                    "; files saved earlier are unchanged");
}

void AtomicFile::fail(int error) {
  discard();
  throw_write_error(target_, error);
}

AtomicFile::AtomicFile(std::filesystem::path target)
    : target_(std::move(target)), partial_(partial_name(target_)) {
  int error = injected(WriteStep::open, 0);
  if (error == 0) {
    fd_ = ::open(partial_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd_ < 0) error = errno;
  }
  if (error != 0) throw_write_error(target_, error);
  buffer_.reserve(kBufferBytes);
}

AtomicFile::~AtomicFile() {
  discard();
}

void AtomicFile::discard() noexcept {
  if (fd_ < 0) return;
  ::close(fd_);
  fd_ = -1;
  ::unlink(partial_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  if (buffer_.size() + bytes.size() > kBufferBytes) flush();
  if (bytes.size() >= kBufferBytes) {
    write_through(bytes);
  } else {
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  }
}

void AtomicFile::flush() {
  write_through(buffer_);
  buffer_.clear();
}

void AtomicFile::write_through(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    std::size_t size = std::min(bytes.size(), kLargestWrite);
    WriteFaultVerdict verdict;
    if (const WriteFault fault = write_fault.load()) {
      verdict = fault(WriteStep::write, written_, size);
      size = static_cast<std::size_t>(std::min<std::uint64_t>(size, verdict.allowed_bytes));
    }
    const ssize_t done = size == 0 ? 0 : ::write(fd_, bytes.data(), size);
    if (done < 0) {
      if (errno == EINTR) continue;
      fail(errno);
    }
    if (verdict.crash) ::_exit(137);
    if (verdict.error != 0) fail(verdict.error);
    written_ += static_cast<std::uint64_t>(done);
    bytes = bytes.subspan(static_cast<std::size_t>(done));
    // Ask for write-back now, so that the disk works while the next bytes are prepared and the sync
    // at the end has little left to wait for. A file system without it loses only that.
    if (written_ - write_back_ >= kLargestWrite) {
      ::sync_file_range(fd_, static_cast<off64_t>(write_back_),
                        static_cast<off64_t>(written_ - write_back_), SYNC_FILE_RANGE_WRITE);
      write_back_ = written_;
    }
  }
}

void AtomicFile::commit() {
  flush();
  if (const int error = injected(WriteStep::sync, written_)) fail(error);
  if (::fsync(fd_) != 0) fail(errno);
  if (const int error = injected(WriteStep::rename, written_)) fail(error);
  if (::rename(partial_.c_str(), target_.c_str()) != 0) fail(errno);
  const int fd = fd_;
  fd_ = -1;
  // Network file systems may report a failed write only here.
  if (::close(fd) != 0 && errno != EINTR) throw_write_error(target_, errno);
  sync_folder(folder_of(target_));
}

void write_text_atomic(const std::filesystem::path& target, std::string_view text) {
  AtomicFile file(target);
  file.write_text(text);
  file.commit();
}

void symlink_atomic(const std::string& content, const std::filesystem::path& link) {
  const std::filesystem::path partial = partial_name(link);
  if (::symlink(content.c_str(), partial.c_str()) != 0) throw_write_error(link, errno);
  int error = injected(WriteStep::rename, 0);
  if (error == 0 && ::rename(partial.c_str(), link.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(partial.c_str());
    throw_write_error(link, error);
  }
  sync_folder(folder_of(link));
}

void sync_folder(const std::filesystem::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) throw_write_error(folder, errno);
  const int error = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  // Some network file systems cannot sync a folder; their rename is durable by itself.
  if (error != 0 && error != EINVAL && error != EOPNOTSUPP) throw_write_error(folder, error);
}

}  // namespace vissl::host
