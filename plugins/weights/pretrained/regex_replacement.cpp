#include <vissl/error.hpp>

#include "regex_text.hpp"
#include "regex_translate.hpp"

namespace pretrained {

namespace {

[[noreturn]] void refuse_replacement(const std::string& text, const std::string& what,
                                     std::size_t at) {
  vissl::fail(VISSL_E_CONFIG, "the replacement '" + text + "': " + what + at_place(text, at) +
                                  "; replacements are those of Python's re.sub");
}

}  // namespace

std::string translated_template(const std::string& text) {
  static constexpr std::string_view kLetters = "abfnrtv", kControls = "\a\b\f\n\r\t\v";
  const auto digit = [&](std::size_t at) { return at < text.size() && is_digit(text[at]); };
  const auto octal = [&](std::size_t at) { return at < text.size() && is_octal(text[at]); };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '$') {
      out += "$$";
      continue;
    }
    if (c != '\\') {
      out += c;
      continue;
    }
    const std::size_t begin = i;
    if (++i == text.size()) refuse_replacement(text, "bad escape (end of pattern)", begin);
    const char next = text[i];
    const std::size_t control = kLetters.find(next);
    if (next == 'g') {
      if (i + 1 >= text.size() || text[i + 1] != '<') refuse_replacement(text, "missing <", i + 1);
      const std::size_t at = i + 2, end = std::min(text.find('>', at), text.size());
      const std::string name = text.substr(at, end - at);
      if (name.empty()) refuse_replacement(text, "missing group name", at);
      if (end == text.size()) refuse_replacement(text, "missing >, unterminated name", at);
      if (!is_number(name) && !is_name(name))
        refuse_replacement(text, "bad character in group name '" + name + "'", at);
      out += "${" + name + "}";
      i = end;
    } else if (next == '0' || (octal(i) && octal(i + 1) && octal(i + 2))) {
      unsigned value = 0;
      const std::size_t end = i + 3;
      for (; i < end && octal(i); ++i) value = 8 * value + static_cast<unsigned>(text[i] - '0');
      const std::string escape = text.substr(begin, i - begin);
      --i;
      if (value > 0377)
        refuse_replacement(text, "octal escape value " + escape + " outside of range 0-0o377",
                           begin);
      // A name has no byte 0, and what lies above ASCII is no single byte.
      if (value == 0 || value > 0177)
        refuse_replacement(text, "the character " + escape + ", which no name has,", begin);
      const char made = static_cast<char>(value);
      out += made == '$' ? "$$" : std::string(1, made);
    } else if (is_digit(next)) {
      std::string group(1, next);
      if (digit(i + 1)) group += text[++i];
      out += "${" + group + "}";
    } else if (control != std::string_view::npos) {
      out += kControls[control];
    } else if (is_letter(next)) {
      refuse_replacement(text, std::string("bad escape \\") + next, begin);
    } else {
      out += next;
    }
  }
  return out;
}

}  // namespace pretrained
