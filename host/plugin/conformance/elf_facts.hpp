#pragma once
// What an ELF shared library says about itself, read from the file's bytes alone.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vissl::host {

struct ElfFacts {
  std::vector<std::string> needed;     // DT_NEEDED
  std::vector<std::string> run_paths;  // entries of DT_RPATH and DT_RUNPATH
  std::vector<std::string> exported;   // defined dynamic symbols that others can bind to
  std::vector<std::string>
      undefined;                      // dynamic symbols that others must define, weak ones left out
  std::vector<std::string> versions;  // "GLIBC_2.34": what it needs of its libraries
  bool executable_stack = false;
  bool writable_code = false;  // a segment that is both writable and executable
  bool text_relocations = false;
  bool static_tls = false;
};

// Nothing in `file`, the whole file's bytes, is trusted. NULL with a reason that completes "plugin
// 'FILE' …" when the dynamic section cannot be read. The header must have passed elf_section().
std::optional<ElfFacts> read_elf_facts(std::string_view file, std::string& reason);

}  // namespace vissl::host
