#pragma once
// Regular expressions with the meaning of Python's re module, as rules of mmcv and vis4d need them.
// PCRE2 does the matching; what Python does not know is refused, so that a rule means here what it
// means there.
#include <memory>
#include <string>

struct pcre2_real_code_8;
struct pcre2_real_match_context_8;

namespace pretrained {

// One rule: re.sub(pattern, replacement, name).
class Rule {
 public:
  // Fails (VISSL_E_CONFIG) with the construct and its place for what Python's re, or this
  // translation of it, does not take.
  Rule(std::string pattern, const std::string& replacement);

  // All matches replaced, from the left. Fails for a pattern that backtracks without end.
  std::string apply(const std::string& name) const;
  // re.search: whether the pattern is anywhere in the name.
  bool found_in(const std::string& name) const;
  const std::string& pattern() const { return pattern_; }

 private:
  void check_groups(const std::string& given) const;
  [[noreturn]] void fails_on(const std::string& name, int code) const;

  std::string pattern_;
  std::string replacement_;  // in PCRE2's spelling
  std::shared_ptr<pcre2_real_code_8> code_;
  std::shared_ptr<pcre2_real_match_context_8> limits_;
};

}  // namespace pretrained
