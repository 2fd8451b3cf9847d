#include "host/files/pickle_text.hpp"

#include <charconv>
#include <limits>

namespace vissl::host {
namespace {

// The number that `count` hexadecimal digits at `at` stand for; none if there are fewer.
bool hexadecimal(std::string_view text, std::size_t at, std::size_t count, std::uint32_t& value) {
  if (text.size() < at + count) return false;
  const char* begin = text.data() + at;
  const auto [stop, error] = std::from_chars(begin, begin + count, value, 16);
  return error == std::errc{} && stop == begin + count;
}

// The byte that a letter after a backslash stands for; '\0' for none.
char simple_escape(char letter) {
  switch (letter) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case 'a':
      return '\a';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'v':
      return '\v';
    case '\\':
    case '\'':
    case '"':
      return letter;
    default:
      return '\0';
  }
}

}  // namespace

PickledNumber pickled_integer(std::string_view text) {
  if (text.ends_with('L')) text.remove_suffix(1);
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  PickledNumber number;
  number.is_valid =
      !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos;
  if (!number.is_valid) return number;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number.value);
  number.fits = error == std::errc{};
  return number;
}

bool pickled_real(std::string_view text, double& value) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) {
    value = text.starts_with('-') ? -std::numeric_limits<double>::infinity()
                                  : std::numeric_limits<double>::infinity();
    return true;
  }
  return error == std::errc{} && stop == text.data() + text.size();
}

bool pickled_string(std::string_view text, std::string& value) {
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (text.size() < 2 || (text.front() != '\'' && text.front() != '"') ||
      text.back() != text.front()) {
    return false;
  }
  text = text.substr(1, text.size() - 2);
  value.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      value += text[i];
      continue;
    }
    if (++i == text.size()) return false;
    if (const char simple = simple_escape(text[i]); simple != '\0') {
      value += simple;
    } else if (std::uint32_t code = 0; text[i] == 'x') {
      if (!hexadecimal(text, i + 1, 2, code)) return false;
      value += static_cast<char>(code);
      i += 2;
    } else if (text[i] >= '0' && text[i] <= '7') {
      std::size_t digits = 0;
      while (digits < 3 && i < text.size() && text[i] >= '0' && text[i] <= '7') {
        code = code * 8 + static_cast<std::uint32_t>(text[i] - '0');
        ++digits;
        ++i;
      }
      --i;
      value += static_cast<char>(code);
    } else {  // Python keeps a backslash that escapes nothing
      value += '\\';
      value += text[i];
    }
  }
  return true;
}

bool pickled_unicode(std::string_view text, std::string& value) {
  value.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (text[i] == '\\' && (next == 'u' || next == 'U')) {
      const std::size_t digits = next == 'u' ? 4 : 8;
      std::uint32_t code = 0;
      if (!hexadecimal(text, i + 2, digits, code) || code > 0x10ffff) return false;
      append_utf8(code, value);
      i += 1 + digits;
    } else {
      append_utf8(static_cast<unsigned char>(text[i]), value);
    }
  }
  return true;
}

void append_utf8(std::uint32_t code, std::string& out) {
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | (code >> 6));
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3f));
    put(0x80 | ((code >> 6) & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

std::string_view python3_module(std::string_view module) {
  if (module == "__builtin__") return "builtins";
  if (module == "copy_reg") return "copyreg";
  return module;
}

}  // namespace vissl::host
