#pragma once
// What patterns and replacements of Python's re have in common: kinds of characters, and places.
#include <algorithm>
#include <cstddef>
#include <string>

namespace pretrained {

// Places count characters, as Python's do.
inline std::string at_place(const std::string& text, std::size_t at) {
  const auto is_first_byte = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(at, text.size()));
  return " at position " + std::to_string(std::count_if(text.begin(), end, is_first_byte));
}

inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

inline bool is_octal(char c) {
  return c >= '0' && c <= '7';
}

inline bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
// Of an identifier; characters beyond ASCII are letters here.
inline bool is_word(char c) {
  return is_letter(c) || is_digit(c) || c == '_' || (static_cast<unsigned char>(c) & 0x80) != 0;
}

inline bool is_name(const std::string& text) {
  return !text.empty() && !is_digit(text[0]) && std::all_of(text.begin(), text.end(), is_word);
}

inline bool is_number(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

}  // namespace pretrained
