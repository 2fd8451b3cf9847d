#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace vissl::host {

// Finds section `name` of a 64-bit ELF shared library for this machine inside `file`, the whole
// file's bytes. Nothing is trusted: every offset is checked against the size. NULL with a reason
// that completes "plugin 'FILE' …" otherwise.
std::optional<std::string_view> elf_section(std::string_view file, std::string_view name,
                                            std::string& reason);

}  // namespace vissl::host
