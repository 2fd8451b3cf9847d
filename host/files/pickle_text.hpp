#pragma once
// The text forms of values in pickles of protocol 0.
#include <cstdint>
#include <string>
#include <string_view>

namespace vissl::host {

struct PickledNumber {
  bool is_valid = false;
  bool fits = false;  // into 64 bits
  std::int64_t value = 0;
};

// "12", "-3" or "12L".
PickledNumber pickled_integer(std::string_view text);
// As Python prints floats, with inf and nan.
bool pickled_real(std::string_view text, double& value);
// A quoted string with backslash escapes; false without quotes or with a bad escape.
bool pickled_string(std::string_view text, std::string& value);
// Latin-1 characters and \uXXXX, \UXXXXXXXX, into UTF-8; false with a bad escape.
bool pickled_unicode(std::string_view text, std::string& value);

// UTF-8 of a code point below 0x110000.
void append_utf8(std::uint32_t code, std::string& out);

// The name that Python 3 gives a module of Python 2.
std::string_view python3_module(std::string_view module);

}  // namespace vissl::host
