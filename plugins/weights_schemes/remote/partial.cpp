#include "partial.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

namespace remote {
namespace {

constexpr std::size_t kHead = 1024;

// What If-Range accepts: a strong ETag, else the time.
std::string strong_validator(const Response& response) {
  if (!response.etag.empty() && response.etag.front() == '"') return response.etag;
  return response.last_modified;
}

void sync_folder(const std::string& file) {
  const std::string folder = std::filesystem::path(file).parent_path().string();
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

std::string unique_name() {
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  return std::string(host) + "." + std::to_string(::getpid());
}

Partial::Partial(std::string path, std::string url)
    : path_(std::move(path)), notes_(path_ + ".check") {
  Facts there;
  if (read_facts(notes_, facts_) && facts_.url == url && !facts_.validator.empty() &&
      stat_file(path_, there)) {
    size_ = there.size;
    return;
  }
  facts_ = Facts();
  facts_.url = std::move(url);
}

Partial::~Partial() {
  close();
}

bool Partial::open() {
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (fd_ < 0) error_ = errno;
  return fd_ >= 0;
}

bool Partial::begin(const Response& response) {
  misplaced_ = response.status == 206 && response.first != size_;
  if (misplaced_ || !open()) return false;
  if (response.status == 200) size_ = 0;
  // The end of an earlier attempt may be missing on the disk, but nothing may stand behind it.
  if (size_ == 0 && ::ftruncate(fd_, 0) != 0 && errno != EINVAL) error_ = errno;
  if (::lseek(fd_, static_cast<off_t>(size_), SEEK_SET) < 0 && errno != ESPIPE) error_ = errno;
  struct statvfs room {};
  if (response.total > size_ && ::fstatvfs(fd_, &room) == 0 &&
      room.f_bavail < (response.total - size_) / room.f_frsize)
    error_ = ENOSPC;
  facts_.validator = strong_validator(response);
  if (error_ == 0) write_facts(notes_, facts_);
  head_.clear();
  refusal_ = {};
  return error_ == 0;
}

void Partial::fill_head(const char* data, std::size_t bytes) {
  if (size_ >= kHead || head_.size() != size_) return;
  head_.append(data, std::min(bytes, kHead - head_.size()));
  refusal_ = not_a_file(head_);
}

bool Partial::write(const char* data, std::size_t bytes) {
  fill_head(data, bytes);
  if (refusal_) return false;
  while (bytes != 0) {
    const ssize_t written = ::write(fd_, data, bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      error_ = written < 0 ? errno : EIO;
      return false;
    }
    data += written;
    bytes -= static_cast<std::size_t>(written);
    size_ += static_cast<std::uint64_t>(written);
  }
  return true;
}

void Partial::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

bool Partial::is_complete(const Response& response) const {
  if (response.curl_code != 0 || misplaced_) return false;
  if (response.status == 416) return size_ != 0 && response.total == size_;
  if (response.status != 200 && response.status != 206) return false;
  return response.total == 0 || response.total == size_;
}

bool Partial::was_reset(const Response& response) {
  const bool useless = misplaced_ || (response.curl_code == 0 && response.status == 416);
  if (!useless || ++resets_ > 1) return false;
  const std::string url = facts_.url;
  remove();
  facts_.url = url;
  return true;
}

void Partial::remove() {
  close();
  std::remove(path_.c_str());
  std::remove(notes_.c_str());
  size_ = 0;
  facts_.validator.clear();
  misplaced_ = false;
  refusal_ = {};
}

void Partial::publish(const std::string& file) {
  const int fd = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (!synced) fail_write(path_, error);
  if (std::rename(path_.c_str(), file.c_str()) != 0) fail_write(file, errno);
  std::remove(notes_.c_str());
  sync_folder(file);
}

}  // namespace remote
