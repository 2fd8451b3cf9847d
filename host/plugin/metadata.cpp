#include "host/plugin/metadata.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vissl/abi.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

#include "host/plugin/elf_section.hpp"
#include "host/plugin/libtorch_use.hpp"

namespace vissl::host {
namespace {

// The bytes of a file, mapped read-only.
class Mapping {
 public:
  explicit Mapping(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
      error_ = errno;
      return;
    }
    struct stat info {};
    if (::fstat(fd, &info) != 0) {
      error_ = errno;
    } else if (!S_ISREG(info.st_mode)) {
      error_ = S_ISDIR(info.st_mode) ? EISDIR : EINVAL;
    } else if (info.st_size > 0) {
      size_ = static_cast<std::size_t>(info.st_size);
      memory_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
      if (memory_ == MAP_FAILED) {
        error_ = errno;
        memory_ = nullptr;
        size_ = 0;
      }
    }
    ::close(fd);
  }
  ~Mapping() {
    if (memory_ != nullptr) ::munmap(memory_, size_);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  int error() const { return error_; }
  std::string_view bytes() const { return {static_cast<const char*>(memory_), size_}; }

 private:
  void* memory_ = nullptr;
  std::size_t size_ = 0;
  int error_ = 0;
};

bool good_word(std::string_view text) {
  return !text.empty() && text.size() <= 200 && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < 0x7f && c != '/' && c != '\'' && c != '"';
  });
}

// Takes the text up to the next '/' off `rest`.
std::string_view next_part(std::string_view& rest) {
  const std::size_t slash = rest.find('/');
  const std::string_view part = rest.substr(0, slash);
  rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  return part;
}

bool parse_abi(std::string_view text, PluginFile& file) {
  const char* const end = text.data() + text.size();
  const auto major = std::from_chars(text.data(), end, file.abi_major);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return false;
  const auto minor = std::from_chars(major.ptr + 1, end, file.abi_minor);
  return minor.ec == std::errc() && minor.ptr == end;
}

bool parse_plugin(std::string_view rest, PluginFile& file) {
  const std::string_view id = next_part(rest), version = next_part(rest);
  if (!file.id.empty() || !good_word(id) || !good_word(version) || !parse_abi(rest, file))
    return false;
  file.id = id;
  file.version = version;
  return true;
}

bool parse_component(std::string_view text, PluginFile& file) {
  const std::string_view kind = next_part(text), name = next_part(text);
  if (!good_word(kind) || !good_word(name)) return false;
  file.components.push_back({std::string(kind), std::string(name), std::string(text)});
  return true;
}

void parse_texts(std::string_view section, PluginFile& file) {
  const std::string damaged = "has damaged metadata; build it again with this SDK";
  while (!section.empty()) {
    const std::size_t end = section.find('\0');
    if (end == std::string_view::npos) {
      file.problem = damaged;
      return;
    }
    const std::string_view text = section.substr(0, end);
    section.remove_prefix(end + 1);
    if (text.empty()) continue;  // padding of the linker
    const bool good = text.starts_with("plugin/") ? parse_plugin(text.substr(7), file)
                                                  : parse_component(text, file);
    if (!good) file.problem = damaged;
  }
  if (!file.problem.empty()) return;
  if (file.id.empty())
    file.problem =
        "does not say its id; put VISSL_PLUGIN(\"id\", \"version\") into one of its source files";
  else if (file.abi_major != VISSL_ABI_MAJOR)
    file.problem = "is built for ABI " + std::to_string(file.abi_major) + "." +
                   std::to_string(file.abi_minor) + ", and this host speaks ABI " +
                   std::to_string(VISSL_ABI_MAJOR) + "." + std::to_string(VISSL_ABI_MINOR) +
                   "; get a build of the plugin for ABI " + std::to_string(VISSL_ABI_MAJOR);
}

void judge_libtorch(const LibtorchUse& use, PluginFile& file) {
  file.needs_libtorch = use.needed;
  file.native = use.fingerprint;
  if (!use.cpp_symbol.empty())
    file.problem =
        "uses libtorch's C++ interface (" + use.cpp_symbol +
        ") without saying for which libtorch it was compiled; put VISSL_NATIVE_PLUGIN of "
        "<vissl/torch/native.hpp> in place of VISSL_PLUGIN";
}

}  // namespace

PluginFile read_plugin_file(const std::string& path) {
  PluginFile file;
  file.path = path;
  const Mapping mapping(path);
  if (mapping.error() != 0) {
    file.problem = std::string("cannot be read: ") + std::strerror(mapping.error());
    return file;
  }
  const auto section = elf_section(mapping.bytes(), VISSL_META_SECTION, file.problem);
  if (section) parse_texts(*section, file);
  if (file.problem.empty()) judge_libtorch(libtorch_use(mapping.bytes()), file);
  std::sort(file.components.begin(), file.components.end(),
            [](const ComponentText& a, const ComponentText& b) {
              return a.kind != b.kind ? a.kind < b.kind : a.name < b.name;
            });
  return file;
}

}  // namespace vissl::host
