#include "host/files/damage.hpp"

#include "host/files/error.hpp"

namespace vissl::host {

std::string quoted_name(std::string_view name) {
  constexpr std::string_view kHex = "0123456789abcdef";
  constexpr std::size_t kLongest = 200;
  std::string text = "'";
  for (const char c : name.substr(0, kLongest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      text += "\\x";
      text += kHex[byte >> 4];
      text += kHex[byte & 15];
    } else {
      text += c;
    }
  }
  if (name.size() > kLongest) text += "...";
  return text + "'";
}

void throw_damaged(const std::string& file, const std::string& what, std::uint64_t where) {
  throw Error(Exit::bad_data, file + ": " + what + " (byte " + std::to_string(where) +
                                  "); the file is damaged or incomplete, use another copy");
}

}  // namespace vissl::host
