#pragma once
// Python's regular expressions in PCRE2's spelling.
#include <string>
#include <string_view>

namespace pretrained {

// re's pattern: what Python does not know is refused (VISSL_E_CONFIG, with the construct and its
// place), what PCRE2 spells or means otherwise is rewritten. Refused too, although Python knows
// them: the flags a and L, and \N{name}.
std::string translated(const std::string& pattern);
// re.sub's replacement.
std::string translated_template(const std::string& text);

}  // namespace pretrained
