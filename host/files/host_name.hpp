#pragma once
#include <unistd.h>

#include <string>

namespace vissl::host {

// This machine's name; "localhost" if it has none. A part of temporary and event file names.
inline std::string host_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "localhost";
  return name;
}

}  // namespace vissl::host
