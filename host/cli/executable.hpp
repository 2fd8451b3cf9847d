#pragma once
#include <string>

namespace vissl::host {

// The folder of the running executable, with links resolved.
std::string executable_folder();

}  // namespace vissl::host
