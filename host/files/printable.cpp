#include "host/files/printable.hpp"

#include "host/files/utf8.hpp"

namespace vissl::host {
namespace {

// Bytes of the character at the front that may be shown, 0 if it may not.
std::size_t shown_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return byte(0) >= 0x20 && byte(0) != 0x7f ? 1 : 0;
  const std::size_t size = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (!is_utf8(text.substr(0, size)) || text.size() < size) return 0;
  if (byte(0) == 0xc2 && byte(1) < 0xa0) return 0;  // C1 controls
  const bool is_bidirectional =
      byte(0) == 0xe2 && ((byte(1) == 0x80 && (byte(2) == 0x8e || byte(2) == 0x8f ||
                                               (byte(2) >= 0xa8 && byte(2) <= 0xae))) ||
                          (byte(1) == 0x81 && byte(2) >= 0xa6 && byte(2) <= 0xa9));
  return is_bidirectional ? 0 : size;
}

}  // namespace

std::string printable(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  while (!text.empty()) {
    const std::size_t size = shown_size(text);
    if (size == 0) {
      const auto byte = static_cast<unsigned char>(text.front());
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return out;
}

std::string printable_lines(std::string_view text) {
  std::string out;
  for (std::size_t end; (end = text.find_first_of("\n\t")) != std::string_view::npos;
       text.remove_prefix(end + 1))
    out += printable(text.substr(0, end)) + text[end];
  return out + printable(text);
}

}  // namespace vissl::host
