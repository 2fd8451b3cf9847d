#include "host/files/damage.hpp"

#include "host/files/error.hpp"
#include "host/files/printable.hpp"

namespace vissl::host {

std::string quoted_name(std::string_view name) {
  constexpr std::size_t kLongest = 200;
  return "'" + printable(name.substr(0, kLongest)) + (name.size() > kLongest ? "...'" : "'");
}

void throw_damaged(const std::string& file, const std::string& what) {
  throw Error(Exit::bad_data,
              file + ": " + what + "; the file is damaged or incomplete, use another copy");
}

void throw_damaged(const std::string& file, const std::string& what, std::uint64_t where) {
  throw_damaged(file, what + " (byte " + std::to_string(where) + ")");
}

}  // namespace vissl::host
