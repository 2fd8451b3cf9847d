#include "cache.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vissl/error.hpp>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "digest.hpp"
#include "settings.hpp"

namespace fs = std::filesystem;

namespace remote {
namespace {

constexpr std::size_t kLongestName = 200;  // of 255 bytes; the rest is for our endings

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string short_hash(const std::string& text) {
  return sha256_of_text(text).substr(0, 16);
}

// A component of the path as a name of a file.
std::string safe_name(const std::string& name) {
  if (name == "." || name == "..") return "%" + name;
  if (name.size() <= kLongestName) return name;
  return name.substr(0, kLongestName - 20) + "-" + short_hash(name);
}

}  // namespace

std::string cache_path(const std::string& cache_dir, const Url& url) {
  // https is the usual one and needs no word; no server's name holds a colon before it.
  std::string path = cache_dir + "/" + (url.scheme == "http" ? "http:" : "") + url.authority();
  std::string name;
  for (std::size_t at = 0; at < url.path.size();) {
    const std::size_t end = std::min(url.path.find('/', at + 1), url.path.size());
    name = url.path.substr(at + 1, end - at - 1);
    path += "/" + safe_name(name);
    at = end;
  }
  if (!url.query.empty()) path += "," + short_hash(url.query);
  return path;
}

std::string torch_hub_path(const Url& url) {
  std::string home = environment("TORCH_HOME");
  if (home.empty()) home = user_cache() + "/torch";
  return home + "/hub/checkpoints/" + url.file_name();
}

bool read_facts(const std::string& path, Facts& facts) {
  std::ifstream in(path);
  if (!in.is_open()) return false;
  std::string line;
  while (std::getline(in, line)) {
    const std::size_t space = line.find(' ');
    const std::string key = line.substr(0, space);
    const std::string value = space == std::string::npos ? "" : line.substr(space + 1);
    if (key == "url") facts.url = value;
    if (key == "validator") facts.validator = value;
    if (key == "sha256") facts.sha256 = value;
    if (key == "size") facts.size = std::strtoull(value.c_str(), nullptr, 10);
    if (key == "mtime_ns") facts.mtime_ns = std::strtoll(value.c_str(), nullptr, 10);
  }
  return true;
}

bool write_facts(const std::string& path, const Facts& facts) {
  const std::string partial = path + "." + std::to_string(::getpid());
  {
    std::ofstream out(partial, std::ios::trunc);
    out << "url " << facts.url << "\nvalidator " << facts.validator << "\nsha256 " << facts.sha256
        << "\nsize " << facts.size << "\nmtime_ns " << facts.mtime_ns << "\n";
    out.flush();
    if (!out) {
      std::remove(partial.c_str());
      return false;
    }
  }
  if (std::rename(partial.c_str(), path.c_str()) == 0) return true;
  std::remove(partial.c_str());
  return false;
}

bool stat_file(const std::string& path, Facts& facts) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0 || !S_ISREG(found.st_mode)) return false;
  facts.size = static_cast<std::uint64_t>(found.st_size);
  facts.mtime_ns = std::int64_t{found.st_mtim.tv_sec} * 1000000000 + found.st_mtim.tv_nsec;
  return true;
}

std::string known_sha256(const std::string& file, const std::string& facts_path, Facts& noted) {
  const bool has_notes = read_facts(facts_path, noted);
  Facts now = noted;
  stat_file(file, now);
  if (has_notes && !noted.sha256.empty() && now.size == noted.size &&
      now.mtime_ns == noted.mtime_ns)
    return noted.sha256;
  now.sha256 = sha256_of_file(file);
  // What was noted stays when the content is another one: it tells that the file is damaged.
  if (noted.sha256.empty() || noted.sha256 == now.sha256) write_facts(facts_path, now);
  return now.sha256;
}

FileLock::FileLock(const std::string& path, const std::function<void()>& on_wait)
    : fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
  if (fd_ < 0) fail_write(path, errno);
  if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) {
    held_ = true;
    return;
  }
  if (errno != EWOULDBLOCK) return;
  waiting_since_ns_ = now_ns();
  on_wait();
  while (::flock(fd_, LOCK_EX) != 0)
    if (errno != EINTR) return;
  held_ = true;
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

void FileLock::leave_failure(int status, const std::string& text) const {
  const std::string note = std::to_string(now_ns()) + " " + std::to_string(status) + "\n" + text;
  if (::ftruncate(fd_, 0) == 0 &&
      ::pwrite(fd_, note.data(), note.size(), 0) != static_cast<ssize_t>(note.size()))
    static_cast<void>(::ftruncate(fd_, 0) == 0);  // half a note is none
}

int FileLock::failure_met(std::string& text) const {
  if (waiting_since_ns_ == 0) return 0;
  std::string note(8192, '\0');
  const ssize_t bytes = ::pread(fd_, note.data(), note.size(), 0);
  note.resize(bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
  std::istringstream in(note);
  std::int64_t when = 0;
  int status = 0;
  if (!(in >> when >> status) || when < waiting_since_ns_) return 0;
  text = note.substr(std::min(note.find('\n') + 1, note.size()));
  return status;
}

void make_folder_of(const std::string& file) {
  const fs::path folder = fs::path(file).parent_path();
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail_write(folder.string(), error.value());
}

void fail_write(const std::string& file, int error) {
  if (error == ENOSPC || error == EDQUOT)
    vissl::fail(VISSL_E_FAILED, "cannot write " + file + ": " + std::strerror(error) +
                                    "; make room there, or set another cache_dir for the scheme in "
                                    "weights_schemes");
  std::string reason = std::strerror(error);
  std::error_code ignored;
  for (fs::path part = file; error == ENOTDIR || error == EEXIST; part = part.parent_path()) {
    if (fs::exists(part, ignored) && !fs::is_directory(part, ignored))
      reason = part.string() + " is a file, not a folder";
    if (part == part.parent_path()) break;
  }
  vissl::fail(VISSL_E_FAILED, "cannot write " + file + ": " + reason +
                                  "; name a folder that can be written as cache_dir of the scheme "
                                  "in weights_schemes, or as XDG_CACHE_HOME");
}

}  // namespace remote
