#include "host/plugin/elf_section.hpp"

#include <elf.h>

#include <cstring>

namespace vissl::host {
namespace {

#if defined(__x86_64__)
constexpr unsigned kMachine = EM_X86_64;
constexpr const char* kMachineName = "x86-64";
#elif defined(__aarch64__)
constexpr unsigned kMachine = EM_AARCH64;
constexpr const char* kMachineName = "AArch64";
#else
#error "name this machine's ELF constant here"
#endif

// Copies a T from `offset`; false past the end. Memory of the file has no alignment.
template <class T>
bool read_at(std::string_view file, std::uint64_t offset, T& out) {
  if (offset > file.size() || file.size() - offset < sizeof(T)) return false;
  std::memcpy(&out, file.data() + offset, sizeof(T));
  return true;
}

std::optional<std::string_view> bytes_at(std::string_view file, std::uint64_t offset,
                                         std::uint64_t size) {
  if (offset > file.size() || file.size() - offset < size) return std::nullopt;
  return file.substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
}

std::string machine_name(unsigned machine) {
  switch (machine) {
    case EM_X86_64:
      return "x86-64";
    case EM_AARCH64:
      return "AArch64";
    case EM_386:
      return "i386";
    case EM_ARM:
      return "ARM";
    case EM_PPC64:
      return "PowerPC64";
    case EM_RISCV:
      return "RISC-V";
    default:
      return "machine " + std::to_string(machine);
  }
}

std::string check_header(const Elf64_Ehdr& header) {
  if (header.e_ident[EI_CLASS] != ELFCLASS64)
    return "is no 64-bit library, and this host is one; build the plugin for " +
           std::string(kMachineName);
  if (header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_machine != kMachine)
    return "is built for " + machine_name(header.e_machine) + ", and this host runs on " +
           kMachineName + "; build the plugin for " + kMachineName;
  if (header.e_type != ET_DYN)
    return "is no shared library (ELF type " + std::to_string(header.e_type) +
           "); link it with -shared";
  return "";
}

}  // namespace

std::optional<std::string_view> elf_section(std::string_view file, std::string_view name,
                                            std::string& reason) {
  const char* const truncated = "is cut short; copy or build it again";
  Elf64_Ehdr header;
  if (file.size() < SELFMAG || std::memcmp(file.data(), ELFMAG, SELFMAG) != 0) {
    reason = file.empty() ? "is an empty file; copy or build it again"
                          : "is no ELF shared library; remove it from the plugin folder";
    return std::nullopt;
  }
  // The class byte comes before anything that depends on it.
  if (file.size() > EI_CLASS && file[EI_CLASS] == ELFCLASS32) {
    reason = "is no 64-bit library, and this host is one; build the plugin for " +
             std::string(kMachineName);
    return std::nullopt;
  }
  if (!read_at(file, 0, header)) {
    reason = truncated;
    return std::nullopt;
  }
  if (reason = check_header(header); !reason.empty()) return std::nullopt;

  const auto section = [&](std::uint64_t index, Elf64_Shdr& out) {
    if (header.e_shentsize < sizeof(Elf64_Shdr) || header.e_shoff > file.size()) return false;
    return read_at(file, header.e_shoff + index * header.e_shentsize, out);
  };
  const std::string no_section =
      "is no vissl plugin: it has no section " + std::string(name) +
      "; build it with the SDK's VISSL_PLUGIN, or remove it from the plugin folder";
  if (header.e_shnum == 0) {
    reason = no_section;
    return std::nullopt;
  }
  if (!bytes_at(file, header.e_shoff, std::uint64_t{header.e_shnum} * header.e_shentsize)) {
    reason = truncated;
    return std::nullopt;
  }
  Elf64_Shdr names{};
  const auto name_bytes = section(header.e_shstrndx, names)
                              ? bytes_at(file, names.sh_offset, names.sh_size)
                              : std::nullopt;
  if (!name_bytes) {
    reason = truncated;
    return std::nullopt;
  }
  for (std::uint64_t i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr candidate{};
    if (!section(i, candidate)) {
      reason = truncated;
      return std::nullopt;
    }
    if (candidate.sh_name >= name_bytes->size() || candidate.sh_type == SHT_NOBITS) continue;
    const std::string_view rest = name_bytes->substr(candidate.sh_name);
    if (rest.substr(0, rest.find('\0')) != name) continue;
    const auto found = bytes_at(file, candidate.sh_offset, candidate.sh_size);
    if (!found) reason = truncated;
    return found;
  }
  reason = no_section;
  return std::nullopt;
}

}  // namespace vissl::host
