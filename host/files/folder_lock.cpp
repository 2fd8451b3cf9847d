#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "host/files/atomic_file.hpp"
#include "host/files/error.hpp"
#include "host/files/host_name.hpp"

namespace vissl::host {
namespace {

std::string holder_in(int fd) {
  char text[512];
  const ssize_t size = ::pread(fd, text, sizeof text, 0);
  if (size <= 0) return "unknown process";
  std::string holder(text, static_cast<std::size_t>(size));
  while (!holder.empty() && holder.back() == '\n') holder.pop_back();
  return holder;
}

// "NAME.HOST.PID.N.partial" -> HOST and PID; pid 0 if the name has another form.
struct Writer {
  std::string before_pid;
  pid_t pid = 0;
};

Writer writer_of(const std::string& name) {
  constexpr std::string_view kEnding = ".partial";
  Writer writer;
  if (!name.ends_with(kEnding)) return writer;
  const std::string stem = name.substr(0, name.size() - kEnding.size());
  const auto count_dot = stem.rfind('.');
  if (count_dot == std::string::npos || count_dot == 0) return writer;
  const auto pid_dot = stem.rfind('.', count_dot - 1);
  if (pid_dot == std::string::npos) return writer;
  pid_t pid = 0;
  const auto [end, error] =
      std::from_chars(stem.data() + pid_dot + 1, stem.data() + count_dot, pid);
  if (error != std::errc{} || end != stem.data() + count_dot || pid <= 0) return writer;
  writer.before_pid = stem.substr(0, pid_dot);
  writer.pid = pid;
  return writer;
}

}  // namespace

FolderLock::FolderLock(std::filesystem::path folder) : folder_(std::move(folder)) {
  const std::filesystem::path path = folder_ / ".lock";
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd_ < 0) throw_write_error(path, errno);
  int error = 0;
  while (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    error = errno;
    if (error != EINTR) break;
    error = 0;
  }
  if (error == EWOULDBLOCK) {
    const std::string holder = holder_in(fd_);
    ::close(fd_);
    throw Error(Exit::run_failed, "another run uses this folder: " + folder_.string() +
                                      " is locked by " + holder +
                                      "; stop that run or set checkpoint.dir to another folder");
  }
  if (error != 0) {
    warning_ = "the file system of " + folder_.string() + " cannot lock files (" +
               std::strerror(error) + "); make sure that no other run uses this folder";
    return;
  }
  const std::string holder = "pid " + std::to_string(::getpid()) + " on " + host_name() + "\n";
  if (::ftruncate(fd_, 0) != 0 ||
      ::pwrite(fd_, holder.data(), holder.size(), 0) != static_cast<ssize_t>(holder.size())) {
    error = errno;
    ::close(fd_);
    throw_write_error(path, error);
  }
}

FolderLock::~FolderLock() {
  if (fd_ >= 0) ::close(fd_);
}

std::vector<std::filesystem::path> remove_stale_partials(const FolderLock& lock) {
  std::vector<std::filesystem::path> removed;
  std::error_code error;
  const std::string own_host = "." + host_name();
  for (const auto& entry : std::filesystem::directory_iterator(lock.folder(), error)) {
    const Writer writer = writer_of(entry.path().filename().string());
    if (writer.pid == 0) continue;
    const bool is_here = writer.before_pid.ends_with(own_host);
    // A process with our own pid can only be an earlier one: this one has not written yet.
    const bool is_alive =
        is_here && writer.pid != ::getpid() && (::kill(writer.pid, 0) == 0 || errno == EPERM);
    if (is_alive || (!is_here && !lock.is_held())) continue;
    std::error_code failed;
    if (std::filesystem::remove(entry.path(), failed)) removed.push_back(entry.path());
  }
  return removed;
}

}  // namespace vissl::host
