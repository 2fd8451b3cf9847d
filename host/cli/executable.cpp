#include "host/cli/executable.hpp"

#include <filesystem>

namespace vissl::host {

std::string executable_folder() {
  std::error_code failed;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", failed);
  return failed ? std::filesystem::current_path().string() : path.parent_path().string();
}

}  // namespace vissl::host
