#pragma once
// How the executable learns which file the runtime has mapped at an address: a third way into
// libvissl_runtime.so. Both have the code of host/files, and each its own list of mappings.

namespace vissl::host {

#define VISSL_MAPPED_NAME_SYMBOL "vissl_runtime_mapped_name"
// MappedFile::name_at of the library that has it.
using MappedName = const char* (*)(const void* address) noexcept;

}  // namespace vissl::host
