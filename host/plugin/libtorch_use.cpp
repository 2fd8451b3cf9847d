#include "host/plugin/libtorch_use.hpp"

#include <elf.h>
#include <vissl/native.h>

#include <array>
#include <cstring>
#include <optional>

#include "host/files/mapped_file.hpp"
#include "host/plugin/elf_section.hpp"

namespace vissl::host {
namespace {

// The zero-terminated text at `offset` of a string table; empty when it runs past the end.
std::string_view text_at(std::string_view table, std::uint64_t offset) {
  if (offset >= table.size()) return {};
  const std::string_view rest = table.substr(static_cast<std::size_t>(offset));
  const std::size_t end = rest.find('\0');
  return end == std::string_view::npos ? std::string_view() : rest.substr(0, end);
}

// Calls body(entry) for each T of a section until it returns true.
template <class T, class Body>
void each(std::string_view section, Body&& body) {
  for (std::size_t at = 0; at + sizeof(T) <= section.size(); at += sizeof(T)) {
    T entry;
    std::memcpy(&entry, section.data() + at, sizeof entry);
    if (body(entry)) return;
  }
}

bool is_libtorch(std::string_view library) {
  return library.starts_with("libtorch") || library.starts_with("libc10");
}

// Functions of the namespaces at and c10, also const members.
bool is_cpp_interface(std::string_view symbol) {
  constexpr std::array<std::string_view, 4> kStarts = {"_ZN2at", "_ZNK2at", "_ZN3c10", "_ZNK3c10"};
  for (const std::string_view start : kStarts)
    if (symbol.starts_with(start)) return true;
  return false;
}

}  // namespace

LibtorchUse libtorch_use(std::string_view file) {
  LibtorchUse use;
  std::string no_reason;  // a library may lack each of these sections
  const auto section = [&](const char* name) {
    return elf_section(file, name, no_reason).value_or(std::string_view());
  };
  use.fingerprint = text_at(section(VISSL_NATIVE_SECTION), 0);
  const std::string_view names = section(".dynstr");
  each<Elf64_Dyn>(section(".dynamic"), [&](const Elf64_Dyn& entry) {
    use.needed = entry.d_tag == DT_NEEDED && is_libtorch(text_at(names, entry.d_un.d_val));
    return use.needed || entry.d_tag == DT_NULL;
  });
  if (!use.needed || !use.fingerprint.empty()) return use;
  each<Elf64_Sym>(section(".dynsym"), [&](const Elf64_Sym& symbol) {
    const std::string_view name = text_at(names, symbol.st_name);
    if (symbol.st_shndx == SHN_UNDEF && is_cpp_interface(name)) use.cpp_symbol = name;
    return !use.cpp_symbol.empty();
  });
  return use;
}

std::string read_fingerprint(const std::string& path) {
  const auto file = MappedFile::open(path);
  return libtorch_use({reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size()})
      .fingerprint;
}

}  // namespace vissl::host
