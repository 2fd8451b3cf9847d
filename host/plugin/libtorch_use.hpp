#pragma once
// Whether a plugin file uses libtorch itself, read from the file without opening it.
#include <string>
#include <string_view>

namespace vissl::host {

struct LibtorchUse {
  bool needed = false;      // a library of libtorch is among its DT_NEEDED
  std::string fingerprint;  // text of VISSL_NATIVE_SECTION; empty = none
  std::string cpp_symbol;   // without fingerprint: one symbol of libtorch's C++ interface that it
                            // imports, mangled; empty = none
};

// `file`: the whole bytes of an ELF shared library. Nothing is trusted.
LibtorchUse libtorch_use(std::string_view file);

// The fingerprint that the file at `path` holds, "" for none.
std::string read_fingerprint(const std::string& path);

}  // namespace vissl::host
