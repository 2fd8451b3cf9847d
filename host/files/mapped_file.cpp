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
#include "host/files/printable.hpp"

namespace vissl::host {

namespace {

// All mappings that live, by where they begin, so that their bytes can be told from others.
struct Mappings {
  std::mutex mutex;
  std::map<const std::byte*, const MappedFile*> files;

  // The file that holds all of `bytes`. [with the mutex held]
  const MappedFile* find(std::span<const std::byte> bytes) const {
    auto after = files.upper_bound(bytes.data());
    if (bytes.empty() || after == files.begin()) return nullptr;
    const auto& [start, file] = *--after;
    const auto offset = static_cast<std::size_t>(bytes.data() - start);
    const std::size_t size = file->bytes().size();
    return offset < size && bytes.size() <= size - offset ? file : nullptr;
  }
};
Mappings& mappings() {
  static Mappings all;
  return all;
}

}  // namespace

MappedFile::MappedFile(std::string name, const std::byte* data, const struct stat& facts)
    : name_(std::move(name)),
      shown_(printable(name_)),
      data_(data),
      size_(static_cast<std::size_t>(facts.st_size)),
      device_(facts.st_dev),
      number_(facts.st_ino) {
  if (data_ == nullptr) return;
  Mappings& all = mappings();
  const std::lock_guard lock(all.mutex);
  all.files[data_] = this;
}

void MappedFile::let_go(std::span<const std::byte> bytes) noexcept {
  Mappings& all = mappings();
  const std::lock_guard lock(all.mutex);
  const MappedFile* file = all.find(bytes);
  if (file == nullptr) return;
  const auto offset = static_cast<std::size_t>(bytes.data() - file->data_);
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t first = offset / page * page;
  ::madvise(const_cast<std::byte*>(file->data_ + first), offset + bytes.size() - first,
            MADV_DONTNEED);
}

std::shared_ptr<const MappedFile> MappedFile::of(std::span<const std::byte> bytes) {
  Mappings& all = mappings();
  const std::lock_guard lock(all.mutex);
  const MappedFile* file = all.find(bytes);
  return file == nullptr ? nullptr : file->weak_from_this().lock();
}

const char* MappedFile::name_at(const void* address) noexcept {
  Mappings& all = mappings();
  const std::lock_guard lock(all.mutex);  // nothing is touched while it is held
  // Up to the end of the last page.
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto* at = static_cast<const std::byte*>(address);
  auto after = all.files.upper_bound(at);
  if (after == all.files.begin()) return nullptr;
  const auto& [start, file] = *--after;
  const bool is_inside = static_cast<std::size_t>(at - start) / page <= (file->size_ - 1) / page;
  return is_inside ? file->shown_.c_str() : nullptr;
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
      new MappedFile(name, static_cast<const std::byte*>(data), facts));
}

MappedFile::~MappedFile() {
  // munmap takes a non-const pointer although it writes nothing.
  if (data_ == nullptr) return;
  Mappings& all = mappings();
  const std::lock_guard lock(all.mutex);
  all.files.erase(data_);
  ::munmap(const_cast<std::byte*>(data_), size_);
}

}  // namespace vissl::host
