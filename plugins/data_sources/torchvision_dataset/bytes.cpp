#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "content.hpp"

namespace fs = std::filesystem;
using vissl::fail;

namespace {

[[noreturn]] void cannot_open(const std::string& path, int error) {
  fail(VISSL_E_DATA, "cannot open '" + path + "': " + std::generic_category().message(error));
}

class Mapped final : public Bytes {
 public:
  explicit Mapped(const std::string& name) {
    path = name;
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) cannot_open(path, errno);
    struct stat facts {};
    int error = ::fstat(file, &facts) == 0 ? 0 : errno;
    void* memory = nullptr;
    if (error == 0 && facts.st_size > 0) {
      size = static_cast<std::size_t>(facts.st_size);
      memory = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file, 0);
      if (memory == MAP_FAILED) error = errno;
    }
    ::close(file);
    if (error != 0) cannot_open(path, error);
    if (memory == nullptr) bad_file(*this, "is empty");
    data = static_cast<const std::uint8_t*>(memory);
  }
  ~Mapped() override { ::munmap(const_cast<std::uint8_t*>(data), size); }
};

class Unpacked final : public Bytes {
 public:
  explicit Unpacked(const std::string& name) {
    path = name;
    const gzFile file = ::gzopen(path.c_str(), "rb");
    if (file == nullptr) cannot_open(path, errno);
    std::size_t used = 0;
    int got = 0;
    do {
      if (used + kBlock > content_.size()) content_.resize(2 * content_.size() + kBlock);
      got = ::gzread(file, content_.data() + used, kBlock);
      if (got > 0) used += static_cast<std::size_t>(got);
    } while (got > 0);
    const bool broken = ::gzclose(file) != Z_OK || got < 0;
    content_.resize(used);
    content_.shrink_to_fit();
    data = content_.data();
    size = content_.size();
    if (broken) {
      bad_file(*this, "is cut short or damaged: its gzip data ends or fails after " +
                          std::to_string(size) + " unpacked bytes");
    }
  }

 private:
  static constexpr unsigned kBlock = 1u << 20;
  std::vector<std::uint8_t> content_;
};

}  // namespace

File map_file(const std::string& path) {
  return std::make_shared<Mapped>(path);
}

File unpack_file(const std::string& path) {
  return std::make_shared<Unpacked>(path);
}

void bad_file(const Bytes& file, const std::string& what) {
  fail(VISSL_E_DATA, "'" + file.path + "' " + what);
}

Folder::Folder(std::string root, std::vector<std::string> below) : root_(std::move(root)) {
  while (root_.size() > 1 && root_.back() == '/') root_.pop_back();
  for (const std::string& folder : below) folders_.push_back(root_ + "/" + folder);
  folders_.push_back(root_);
}

std::string Folder::find(const std::vector<std::string>& names) const {
  for (const std::string& folder : folders_) {
    for (const std::string& name : names) {
      const std::string path = folder + "/" + name;
      std::error_code ignored;
      if (fs::exists(path, ignored)) return path;
    }
  }
  return {};
}

std::string Folder::at(const std::vector<std::string>& names) const {
  std::error_code ignored;
  if (!fs::is_directory(root_, ignored)) {
    fail(VISSL_E_DATA, "the folder '" + root_ + "' " +
                           (fs::exists(root_, ignored) ? "is not a folder" : "does not exist"));
  }
  std::string path = find(names);
  if (!path.empty()) return path;
  const auto listed = [](const std::vector<std::string>& words) {
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i) {
      text += i == 0 ? "" : i + 1 == words.size() ? " or " : ", ";
      text += "'" + words[i] + "'";
    }
    return text;
  };
  fail(VISSL_E_DATA, "there is no file " + listed(names) + " in " + listed(folders_));
}
