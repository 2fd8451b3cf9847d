#pragma once
// Text files of the source tree that the executable carries (cmake/Embedded.cmake).
#include <span>
#include <string_view>

namespace vissl::host {

struct EmbeddedFile {
  std::string_view name;  // "templates/loss.cpp", "completion/vissl-host.bash"
  std::string_view text;
};

std::span<const EmbeddedFile> embedded_files();

}  // namespace vissl::host
