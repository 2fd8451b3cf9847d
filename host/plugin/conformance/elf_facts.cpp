#include "host/plugin/conformance/elf_facts.hpp"

#include <elf.h>

#include <algorithm>
#include <cstring>

namespace vissl::host {
namespace {

struct Damaged {};

// Reads structs and texts out of untrusted bytes; throws Damaged past the end.
class Bytes {
 public:
  explicit Bytes(std::string_view file) : file_(file) {}

  template <class T>
  T at(std::uint64_t offset) const {
    T out;
    if (offset > file_.size() || file_.size() - offset < sizeof(T)) throw Damaged();
    std::memcpy(&out, file_.data() + offset, sizeof(T));
    return out;
  }
  std::string text(std::uint64_t offset) const {
    if (offset >= file_.size()) throw Damaged();
    const std::string_view rest = file_.substr(static_cast<std::size_t>(offset));
    const std::size_t end = rest.find('\0');
    if (end == std::string_view::npos) throw Damaged();
    return std::string(rest.substr(0, end));
  }

 private:
  std::string_view file_;
};

// A table of `count` entries of type T in the file.
struct Table {
  std::uint64_t offset = 0, count = 0;
};

void add_path_list(const std::string& list, std::vector<std::string>& out) {
  for (std::size_t start = 0; start <= list.size();) {
    const std::size_t end = std::min(list.find(':', start), list.size());
    if (end > start) out.push_back(list.substr(start, end - start));
    start = end + 1;
  }
}

class Reader {
 public:
  explicit Reader(std::string_view file) : bytes_(file), header_(bytes_.at<Elf64_Ehdr>(0)) {}

  ElfFacts read() {
    read_segments();
    read_sections();
    if (!has_dynamic_) throw Damaged();
    read_dynamic();
    read_symbols();
    std::sort(facts_.exported.begin(), facts_.exported.end());
    std::sort(facts_.undefined.begin(), facts_.undefined.end());
    return std::move(facts_);
  }

 private:
  void read_segments() {
    bool stack_said = false;
    for (unsigned i = 0; i < header_.e_phnum; ++i) {
      const auto segment = bytes_.at<Elf64_Phdr>(header_.e_phoff + i * sizeof(Elf64_Phdr));
      if (segment.p_type == PT_GNU_STACK) {
        stack_said = true;
        facts_.executable_stack = (segment.p_flags & PF_X) != 0;
      }
      if (segment.p_type == PT_LOAD && (segment.p_flags & PF_W) && (segment.p_flags & PF_X))
        facts_.writable_code = true;
    }
    // Without the note the loader makes the stack executable.
    if (!stack_said) facts_.executable_stack = true;
  }

  void read_sections() {
    for (unsigned i = 0; i < header_.e_shnum; ++i) {
      const auto section = bytes_.at<Elf64_Shdr>(header_.e_shoff + i * sizeof(Elf64_Shdr));
      if (section.sh_type != SHT_DYNAMIC && section.sh_type != SHT_DYNSYM &&
          section.sh_type != SHT_GNU_verneed)
        continue;
      const auto strings =
          bytes_.at<Elf64_Shdr>(header_.e_shoff + section.sh_link * sizeof(Elf64_Shdr));
      if (section.sh_type == SHT_DYNAMIC) {
        dynamic_ = {section.sh_offset, section.sh_size / sizeof(Elf64_Dyn)};
        dynamic_strings_ = strings.sh_offset;
        has_dynamic_ = true;
      } else if (section.sh_type == SHT_DYNSYM) {
        symbols_ = {section.sh_offset, section.sh_size / sizeof(Elf64_Sym)};
        symbol_strings_ = strings.sh_offset;
      } else {
        read_versions(section.sh_offset, section.sh_info, strings.sh_offset);
      }
    }
  }

  void read_versions(std::uint64_t offset, unsigned count, std::uint64_t strings) {
    for (unsigned i = 0; i < count; ++i) {
      const auto library = bytes_.at<Elf64_Verneed>(offset);
      std::uint64_t entry = offset + library.vn_aux;
      for (unsigned j = 0; j < library.vn_cnt; ++j) {
        const auto version = bytes_.at<Elf64_Vernaux>(entry);
        facts_.versions.push_back(bytes_.text(strings + version.vna_name));
        if (version.vna_next == 0) break;
        entry += version.vna_next;
      }
      if (library.vn_next == 0) break;
      offset += library.vn_next;
    }
  }

  void read_dynamic() {
    for (std::uint64_t i = 0; i < dynamic_.count; ++i) {
      const auto entry = bytes_.at<Elf64_Dyn>(dynamic_.offset + i * sizeof(Elf64_Dyn));
      const auto text = [&] { return bytes_.text(dynamic_strings_ + entry.d_un.d_val); };
      if (entry.d_tag == DT_NULL) break;
      if (entry.d_tag == DT_NEEDED) facts_.needed.push_back(text());
      if (entry.d_tag == DT_RPATH || entry.d_tag == DT_RUNPATH)
        add_path_list(text(), facts_.run_paths);
      if (entry.d_tag == DT_TEXTREL) facts_.text_relocations = true;
      if (entry.d_tag == DT_FLAGS) {
        if ((entry.d_un.d_val & DF_TEXTREL) != 0) facts_.text_relocations = true;
        if ((entry.d_un.d_val & DF_STATIC_TLS) != 0) facts_.static_tls = true;
      }
    }
  }

  void read_symbols() {
    for (std::uint64_t i = 1; i < symbols_.count; ++i) {
      const auto symbol = bytes_.at<Elf64_Sym>(symbols_.offset + i * sizeof(Elf64_Sym));
      const unsigned binding = ELF64_ST_BIND(symbol.st_info);
      if (symbol.st_name == 0 || binding == STB_LOCAL) continue;
      const unsigned visibility = ELF64_ST_VISIBILITY(symbol.st_other);
      const std::string name = bytes_.text(symbol_strings_ + symbol.st_name);
      if (symbol.st_shndx == SHN_UNDEF) {
        if (binding != STB_WEAK) facts_.undefined.push_back(name);
      } else if (visibility == STV_DEFAULT || visibility == STV_PROTECTED) {
        facts_.exported.push_back(name);
      }
    }
  }

  Bytes bytes_;
  Elf64_Ehdr header_;
  ElfFacts facts_;
  Table dynamic_, symbols_;
  std::uint64_t dynamic_strings_ = 0, symbol_strings_ = 0;
  bool has_dynamic_ = false;
};

}  // namespace

std::optional<ElfFacts> read_elf_facts(std::string_view file, std::string& reason) {
  try {
    return Reader(file).read();
  } catch (const Damaged&) {
    reason = "has a damaged dynamic section; copy or build it again";
    return std::nullopt;
  }
}

}  // namespace vissl::host
