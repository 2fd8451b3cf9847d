#include "regex.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <vissl/error.hpp>

#include <cctype>
#include <vector>

namespace pretrained {

namespace {

constexpr std::size_t kLongestPattern = 4096;
constexpr std::size_t kLongestName = 65536;
constexpr std::uint32_t kMostSteps = 1'000'000;

[[noreturn]] void refuse(const std::string& text, const std::string& what, std::size_t at) {
  vissl::fail(VISSL_E_CONFIG, "the rule '" + text + "': " + what + " at position " +
                                  std::to_string(at) + "; rules are regular expressions of Python");
}

// Python's pattern in PCRE2's spelling: \Z, \u and \U differ, and letters that Python does not know
// after a backslash mean something in PCRE2.
std::string translated(const std::string& pattern) {
  static constexpr std::string_view kSame = "AbBdDsSwWafnrtvx";
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '\\') {
      if (pattern.compare(i, 3, "(?R") == 0 || pattern.compare(i, 3, "(?&") == 0 ||
          pattern.compare(i, 2, "(*") == 0)
        refuse(pattern, "'" + pattern.substr(i, 3) + "' is no Python", i);
      out += pattern[i];
      continue;
    }
    if (++i == pattern.size()) refuse(pattern, "a backslash ends it", i - 1);
    const char c = pattern[i];
    if (c == 'Z') {
      out += "\\z";
    } else if (c == 'u' || c == 'U') {
      const std::size_t digits = c == 'u' ? 4 : 8;
      const std::string code = pattern.substr(i + 1, digits);
      if (code.size() != digits || code.find_first_not_of("0123456789abcdefABCDEF") != code.npos)
        refuse(pattern, std::string("bad escape \\") + c, i - 1);
      out += "\\x{" + code + "}";
      i += digits;
    } else if (std::isalpha(static_cast<unsigned char>(c)) != 0 &&
               kSame.find(c) == std::string_view::npos) {
      refuse(pattern, std::string("bad escape \\") + c, i - 1);
    } else {
      out += '\\';
      out += c;
    }
  }
  return out;
}

// Python's template in PCRE2's spelling: \1, \g<1>, \g<name> and escapes of control characters.
std::string translated_template(std::string_view text) {
  const std::string whole(text);
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
    if (++i == text.size()) refuse(whole, "a backslash ends the replacement", i - 1);
    const char next = text[i];
    if (next == 'g') {
      const std::size_t end = text.find('>', i);
      if (i + 1 >= text.size() || text[i + 1] != '<' || end == std::string_view::npos)
        refuse(whole, "\\g needs a group's <name>", i - 1);
      out += "${" + std::string(text.substr(i + 2, end - i - 2)) + "}";
      i = end;
    } else if (next >= '1' && next <= '9') {
      std::string group(1, next);
      if (i + 1 < text.size() && std::isdigit(static_cast<unsigned char>(text[i + 1])) != 0)
        group += text[++i];
      out += "${" + group + "}";
    } else if (next == 'n') {
      out += '\n';
    } else if (next == 't') {
      out += '\t';
    } else if (std::isalnum(static_cast<unsigned char>(next)) != 0) {
      refuse(whole, std::string("bad escape \\") + next, i - 1);
    } else {
      out += next;
    }
  }
  return out;
}

std::string message_of(int code) {
  unsigned char text[200];
  pcre2_get_error_message(code, text, sizeof text);
  return reinterpret_cast<const char*>(text);
}

const unsigned char* bytes(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

Rule::Rule(std::string pattern, std::string_view replacement)
    : pattern_(std::move(pattern)), replacement_(translated_template(replacement)) {
  if (pattern_.size() > kLongestPattern)
    vissl::fail(VISSL_E_CONFIG, "a rule of " + std::to_string(pattern_.size()) +
                                    " characters is longer than " +
                                    std::to_string(kLongestPattern));
  const std::string text = translated(pattern_);
  int code = 0;
  std::size_t at = 0;
  code_.reset(pcre2_compile(bytes(text), text.size(), 0, &code, &at, nullptr), pcre2_code_free);
  if (code_ == nullptr) refuse(pattern_, message_of(code), at);
  limits_.reset(pcre2_match_context_create(nullptr), pcre2_match_context_free);
  pcre2_set_match_limit(limits_.get(), kMostSteps);
}

std::string Rule::apply(const std::string& name) const {
  if (name.size() > kLongestName)
    vissl::fail(VISSL_E_DATA, "a name of " + std::to_string(name.size()) +
                                  " characters in the file is too long to be renamed");
  std::size_t size = 2 * name.size() + 256;
  std::string out(size, '\0');
  const auto run = [&] {
    return pcre2_substitute(
        code_.get(), bytes(name), name.size(), 0,
        PCRE2_SUBSTITUTE_GLOBAL | PCRE2_SUBSTITUTE_OVERFLOW_LENGTH | PCRE2_SUBSTITUTE_UNSET_EMPTY,
        nullptr, limits_.get(), bytes(replacement_), replacement_.size(),
        reinterpret_cast<unsigned char*>(out.data()), &size);
  };
  int result = run();
  if (result == PCRE2_ERROR_NOMEMORY) {
    out.resize(size);
    result = run();
  }
  if (result < 0)
    vissl::fail(VISSL_E_CONFIG, "the rule '" + pattern_ + "' fails on the name '" +
                                    name.substr(0, 80) + "': " + message_of(result));
  out.resize(size);
  return out;
}

}  // namespace pretrained
