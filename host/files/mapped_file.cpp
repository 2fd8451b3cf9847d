#include "host/files/mapped_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>

#include "host/files/error.hpp"

namespace vissl::host {

namespace {

// All mappings that live, so that let_go can tell their bytes from others.
struct Mappings {
  std::mutex mutex;
  std::map<const std::byte*, std::size_t> sizes;
};
Mappings& mappings() {
  static Mappings all;
  return all;
}

}  // namespace

MappedFile::MappedFile(std::string name, const std::byte* data, std::size_t size)
    : name_(std::move(name)), data_(data), size_(size) {
  if (data_ == nullptr) return;
  Mappings& all = mappings();
  const std::lock_guard lock(all.mutex);
  all.sizes[data_] = size_;
}

void MappedFile::let_go(std::span<const std::byte> bytes) noexcept {
  if (bytes.empty()) return;
  Mappings& all = mappings();
  const std::lock_guard lock(all.mutex);
  auto after = all.sizes.upper_bound(bytes.data());
  if (after == all.sizes.begin()) return;
  const auto& [start, size] = *--after;
  const auto offset = static_cast<std::size_t>(bytes.data() - start);
  if (offset >= size || bytes.size() > size - offset) return;
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t first = offset / page * page;
  ::madvise(const_cast<std::byte*>(start + first), offset + bytes.size() - first, MADV_DONTNEED);
}

std::shared_ptr<const MappedFile> MappedFile::open(const std::filesystem::path& path) {
  const std::string name = path.string();
  const auto fail = [&name](int error) {
    throw Error(Exit::bad_data, name + ": cannot be read: " + std::strerror(error) +
                                    "; check the path and its permissions");
  };
  const int fd = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail(errno);
  struct stat facts {};
  if (::fstat(fd, &facts) != 0) {
    const int error = errno;
    ::close(fd);
    fail(error);
  }
  if (!S_ISREG(facts.st_mode)) {
    ::close(fd);
    throw Error(Exit::bad_data, name + ": is not a regular file; name a file");
  }
  const auto size = static_cast<std::size_t>(facts.st_size);
  void* data = nullptr;
  if (size > 0) {
    data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) {
      const int error = errno;
      ::close(fd);
      fail(error);
    }
  }
  ::close(fd);
  return std::shared_ptr<const MappedFile>(
      new MappedFile(name, static_cast<const std::byte*>(data), size));
}

MappedFile::~MappedFile() {
  // munmap takes a non-const pointer although it writes nothing.
  if (data_ == nullptr) return;
  Mappings& all = mappings();
  const std::lock_guard lock(all.mutex);
  all.sizes.erase(data_);
  ::munmap(const_cast<std::byte*>(data_), size_);
}

}  // namespace vissl::host
