#pragma once
// The folder of downloaded files: CACHE/server/path, so that two addresses never share a file.
// Beside FILE stand FILE.check (what is known of it), FILE.lock, and while it is loading
// FILE.partial with FILE.partial.check.
#include <cstdint>
#include <functional>
#include <string>

#include "url.hpp"

namespace remote {

// Where the content of an address is kept. A query, and names that are too long for a file system,
// are told apart by a hash.
std::string cache_path(const std::string& cache_dir, const Url& url);

// Where torch.hub keeps it, whether or not it is there.
std::string torch_hub_path(const Url& url);

// What is known of a file; the text file that holds it is replaced as a whole.
struct Facts {
  std::string url;
  std::string validator;  // ETag or Last-Modified
  std::string sha256;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
};
bool read_facts(const std::string& path, Facts& facts);
// False when the folder cannot be written: then the next use computes again.
bool write_facts(const std::string& path, const Facts& facts);

// Size and time of a file; false when there is none.
bool stat_file(const std::string& path, Facts& facts);

// SHA-256 of `file`, read from `facts_path` when size and time are those that were noted there,
// else computed and noted. `noted`: what stood there before; its sha256 is empty when nothing did.
std::string known_sha256(const std::string& file, const std::string& facts_path, Facts& noted);

// A lock that one process of all holds, also of other machines where the file system can do that.
class FileLock {
 public:
  // Waits, after calling `on_wait` once, while another process holds it. Throws vissl::Failure when
  // the folder cannot be written. A file system without locks gives none: is_held() is false.
  FileLock(const std::string& path, const std::function<void()>& on_wait);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  bool is_held() const { return held_; }

  // Tells those who wait now why the work failed, so that they need not try it again one by one.
  void leave_failure(int status, const std::string& text) const;
  // The failure that was left while this process waited; 0 = none.
  int failure_met(std::string& text) const;

 private:
  int fd_ = -1;
  bool held_ = false;
  std::int64_t waiting_since_ns_ = 0;  // 0 = it did not wait
};

// Makes the folder of `file`. Throws vissl::Failure.
void make_folder_of(const std::string& file);

// "cannot write FILE: No space left on device; …", VISSL_E_FAILED.
[[noreturn]] void fail_write(const std::string& file, int error);

}  // namespace remote
