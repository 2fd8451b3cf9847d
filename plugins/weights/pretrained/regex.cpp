#include "regex.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <vissl/error.hpp>

#include "regex_translate.hpp"

namespace pretrained {

namespace {

constexpr std::size_t kLongestPattern = 4096;
constexpr std::size_t kLongestName = 65536;
constexpr std::uint32_t kMostSteps = 1'000'000;

std::string message_of(int code) {
  unsigned char text[200];
  pcre2_get_error_message(code, text, sizeof text);
  return reinterpret_cast<const char*>(text);
}

const unsigned char* bytes(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

void Rule::fails_on(const std::string& name, int code) const {
  vissl::fail(VISSL_E_CONFIG, "the rule '" + pattern_ + "' fails on the name '" +
                                  name.substr(0, 80) + "': " + message_of(code));
}

Rule::Rule(std::string pattern, const std::string& replacement)
    : pattern_(std::move(pattern)), replacement_(translated_template(replacement)) {
  if (pattern_.size() > kLongestPattern)
    vissl::fail(VISSL_E_CONFIG, "a rule of " + std::to_string(pattern_.size()) +
                                    " characters is longer than " +
                                    std::to_string(kLongestPattern) + "; make two of it");
  const std::string text = translated(pattern_);
  const std::shared_ptr<pcre2_compile_context> context(pcre2_compile_context_create(nullptr),
                                                       pcre2_compile_context_free);
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int code = 0;
  std::size_t at = 0;
  code_.reset(
      pcre2_compile(bytes(text), text.size(), PCRE2_UTF | PCRE2_UCP, &code, &at, context.get()),
      pcre2_code_free);
  if (code_ == nullptr)
    vissl::fail(VISSL_E_CONFIG, "the rule '" + pattern_ + "': " + message_of(code) +
                                    (text == pattern_ ? " at position " + std::to_string(at) : "") +
                                    "; rules are regular expressions of Python");
  limits_.reset(pcre2_match_context_create(nullptr), pcre2_match_context_free);
  pcre2_set_match_limit(limits_.get(), kMostSteps);
  check_groups(replacement);
}

// PCRE2 itself would look only when the pattern matches.
void Rule::check_groups(const std::string& given) const {
  std::uint32_t count = 0;
  pcre2_pattern_info(code_.get(), PCRE2_INFO_CAPTURECOUNT, &count);
  for (std::size_t at = 0; at < replacement_.size(); ++at) {
    if (replacement_[at] != '$') continue;
    if (replacement_[++at] != '{') continue;  // "$$"
    const std::size_t end = replacement_.find('}', at);
    const std::string group = replacement_.substr(at + 1, end - at - 1);
    const bool number = group.find_first_not_of("0123456789") == group.npos;
    const bool known = number ? group.size() < 6 && std::stoul(group) <= count
                              : pcre2_substring_number_from_name(code_.get(), bytes(group)) > 0;
    if (!known)
      vissl::fail(VISSL_E_CONFIG, "the rule '" + pattern_ + "' has no group '" + group +
                                      "', which its replacement '" + given + "' names");
    at = end;
  }
}

bool Rule::found_in(const std::string& name) const {
  const std::shared_ptr<pcre2_match_data> found(
      pcre2_match_data_create_from_pattern(code_.get(), nullptr), pcre2_match_data_free);
  const int result =
      pcre2_match(code_.get(), bytes(name), name.size(), 0, 0, found.get(), limits_.get());
  if (result < 0 && result != PCRE2_ERROR_NOMATCH) fails_on(name, result);
  return result >= 0;
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
  if (result < 0) fails_on(name, result);
  out.resize(size);
  return out;
}

}  // namespace pretrained
