#include "regex_translate.hpp"

#include <vissl/error.hpp>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "regex_text.hpp"

namespace pretrained {

namespace {

std::string code_point(unsigned value) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string hex;
  for (; value != 0 || hex.empty(); value /= 16) hex.insert(hex.begin(), kHex[value % 16]);
  return "\\x{" + hex + "}";
}

class Pattern {
 public:
  explicit Pattern(const std::string& text) : text_(text) {}

  std::string translated() {
    while (at_ < text_.size()) item();
    if (!open_.empty()) fail("missing ), unterminated subpattern", open_.back().begin);
    for (const auto& [group, at] : conditions_)
      if (group.size() > 3 || std::stoul(group) > groups_)
        fail("invalid group reference " + group, at);
    return std::move(out_);
  }

 private:
  // What a quantifier would stand behind.
  enum class Before { nothing, anchor, quantifier, item };
  struct Group {
    unsigned number;   // 0: captures nothing
    std::string name;  // empty: none
    bool verbose;      // around it
    std::size_t begin;
    int branches = 0;  // left; 0: any number
  };

  // In Python's own words, where Python refuses it too.
  [[noreturn]] void fail(const std::string& what, std::size_t at) const {
    vissl::fail(VISSL_E_CONFIG, "the rule '" + text_ + "': " + what + at_place(text_, at) +
                                    "; rules are regular expressions of Python");
  }
  [[noreturn]] void unsupported(const std::string& what, std::size_t at) const {
    vissl::fail(VISSL_E_CONFIG, "the rule '" + text_ + "' has " + what + at_place(text_, at) +
                                    ", which is not supported; write the characters themselves");
  }
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  void put(const std::string& text, Before now) {
    out_ += text;
    before_ = now;
    at_start_ = false;
  }

  void item() {
    const char c = peek();
    if (verbose_ && std::string_view(" \t\n\r\f\v").find(c) != std::string_view::npos) {
      ++at_;
      return;
    }
    if (verbose_ && c == '#') {
      at_ = std::min(text_.find('\n', at_), text_.size());
      return;
    }
    switch (c) {
      case '\\':
        return escape();
      case '[':
        return set();
      case '(':
        return open();
      case ')':
        if (open_.empty()) fail("unbalanced parenthesis", at_);
        ++at_;
        verbose_ = open_.back().verbose;
        open_.pop_back();
        return put(")", Before::item);
      case '|':
        if (!open_.empty() && open_.back().branches > 0 && --open_.back().branches == 0)
          fail("conditional backref with more than two branches", at_);
        ++at_;
        return put("|", Before::nothing);
      case '^':
      case '$':
        ++at_;
        return put(std::string(1, c), Before::anchor);
      case '*':
      case '+':
      case '?':
        ++at_;
        return quantifier(std::string(1, c), at_ - 1);
      case '{':
        return brace();
      default:
        ++at_;
        return put(std::string(1, c), Before::item);
    }
  }

  void quantifier(const std::string& text, std::size_t at) {
    if (before_ == Before::nothing || before_ == Before::anchor) fail("nothing to repeat", at);
    if (before_ == Before::quantifier) fail("multiple repeat", at);
    put(text, Before::quantifier);
    if (peek() == '?' || peek() == '+') out_ += text_[at_++];
  }

  // {2}, {2,}, {,3}, {2,3} and {,} repeat; any other brace is itself.
  void brace() {
    const std::size_t begin = at_++;
    const auto number = [&] {
      std::string digits;
      while (is_digit(peek())) digits += text_[at_++];
      return digits;
    };
    const std::string least = number();
    const bool range = peek() == ',';
    if (range) ++at_;
    const std::string most = range ? number() : least;
    if (peek() != '}' || (least.empty() && !range)) {
      at_ = begin + 1;
      return put("\\{", Before::item);
    }
    ++at_;
    if (!least.empty() && !most.empty() && less(most, least))
      fail("min repeat greater than max repeat", begin + 1);
    std::string text = "{" + (least.empty() ? "0" : least);
    if (range) text += "," + most;
    quantifier(text + "}", begin);
  }

  // Of numbers as text, however long.
  static bool less(std::string a, std::string b) {
    a.erase(0, a.find_first_not_of('0'));
    b.erase(0, b.find_first_not_of('0'));
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  }

  void escape() {
    const std::size_t begin = at_++;
    const char c = peek();
    if (begin + 1 == text_.size()) fail("bad escape (end of pattern)", begin);
    if (is_digit(c)) return number_escape(begin);
    if (c == 'A' || c == 'b' || c == 'B' || c == 'Z') {
      ++at_;
      return put(c == 'Z' ? "\\z" : std::string("\\") + c, Before::anchor);
    }
    put(character(begin), Before::item);
  }

  // \0 and three octal digits are a character, other numbers a group that is complete.
  void number_escape(std::size_t begin) {
    if (peek() == '0' || (is_octal(peek()) && is_octal(peek(1)) && is_octal(peek(2))))
      return put(octal(begin), Before::item);
    std::string digits(1, text_[at_++]);
    if (is_digit(peek())) digits += text_[at_++];
    const unsigned group = static_cast<unsigned>(std::stoul(digits));
    if (group > groups_) fail("invalid group reference " + digits, begin + 1);
    for (const Group& open : open_)
      if (open.number == group) fail("cannot refer to an open group", begin);
    put("\\g{" + digits + "}", Before::item);
  }

  std::string octal(std::size_t begin) {
    unsigned value = 0;
    for (int i = 0; i < 3 && is_octal(peek()); ++i)
      value = 8 * value + static_cast<unsigned>(text_[at_++] - '0');
    if (value > 0377)
      fail("octal escape value " + text_.substr(begin, at_ - begin) + " outside of range 0-0o377",
           begin);
    return code_point(value);
  }

  // A character or a class of them, in or outside a set.
  std::string character(std::size_t begin) {
    const char c = text_[at_++];
    if (std::string_view("dDsSwWafnrt").find(c) != std::string_view::npos)
      return std::string("\\") + c;
    if (c == 'v') return code_point(0x0b);  // PCRE2's \v is any vertical space
    if (c == 'x' || c == 'u' || c == 'U') {
      const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : 8;
      std::string code = text_.substr(at_, digits);
      code.resize(std::min(code.find_first_not_of("0123456789abcdefABCDEF"), code.size()));
      const std::string escape = text_.substr(begin, 2) + code;
      if (code.size() != digits) fail("incomplete escape " + escape, begin);
      if (std::stoul(code, nullptr, 16) > 0x10ffff) fail("bad escape " + escape, begin);
      at_ += digits;
      return "\\x{" + code + "}";
    }
    if (c == 'N' && peek() == '{') unsupported("a character by its name", begin);
    if (is_letter(c)) fail(std::string("bad escape \\") + c, begin);
    return std::string("\\") + c;
  }

  void set() {
    const std::size_t begin = at_;
    std::string text(1, text_[at_++]);
    if (peek() == '^') text += text_[at_++];
    for (bool first = true;; first = false) {
      if (at_ >= text_.size()) fail("unterminated character set", begin);
      const char c = peek();
      if (c == ']' && !first) break;
      if (c == '\\') {
        text += set_escape();
      } else {
        // Python has neither [:alpha:] nor an unescaped bracket that ends nothing.
        if (c == '[' || c == ']') text += '\\';
        text += c;
        ++at_;
      }
    }
    ++at_;
    put(text + "]", Before::item);
  }

  std::string set_escape() {
    const std::size_t begin = at_++;
    if (at_ == text_.size()) fail("bad escape (end of pattern)", begin);
    if (is_octal(peek())) return octal(begin);
    if (is_digit(peek())) fail(std::string("bad escape \\") + peek(), begin);
    if (peek() == 'b') {
      ++at_;
      return code_point(8);
    }
    return character(begin);
  }

  // Whatever begins with a round bracket.
  void open() {
    const std::size_t begin = at_++;
    if (peek() == '*') fail("nothing to repeat", at_);
    if (peek() != '?') {
      open_.push_back({++groups_, "", verbose_, begin});
      return put("(", Before::nothing);
    }
    ++at_;
    for (const char* same : {":", "=", "!", ">", "<=", "<!"}) {
      const std::string_view kind = same;
      if (text_.compare(at_, kind.size(), kind) != 0) continue;
      at_ += kind.size();
      open_.push_back({0, "", verbose_, begin});
      return put("(?" + std::string(kind), Before::nothing);
    }
    const char c = peek();
    if (c == 'P') return named(begin);
    if (c == '(') return condition(begin);
    if (c == '#') {
      const std::size_t end = text_.find(')', at_);
      if (end == std::string::npos) fail("missing ), unterminated comment", begin);
      at_ = end + 1;
      return;
    }
    if (c == '-' || (c != '\0' && kFlags.find(c) != kFlags.npos)) return flags(begin);
    unknown(begin);
  }

  [[noreturn]] void unknown(std::size_t begin) const {
    const bool is_behind = peek() == '<' || peek() == 'P';
    std::size_t end = at_ + (is_behind ? 2 : 1);
    if (end > text_.size()) fail("unexpected end of pattern", text_.size());
    while (end < text_.size() && (text_[end] & 0xc0) == 0x80) ++end;  // the rest of a character
    fail("unknown extension " + text_.substr(begin + 1, end - begin - 1), begin + 1);
  }

  // Up to the character that ends a name.
  std::string until(char end) {
    const std::size_t found = std::min(text_.find(end, at_), text_.size());
    if (found == at_) fail("missing group name", at_);
    if (found == text_.size()) fail(std::string("missing ") + end + ", unterminated name", at_);
    std::string name = text_.substr(at_, found - at_);
    at_ = found + 1;
    return name;
  }

  // (?P<name>…) and (?P=name)
  void named(std::size_t begin) {
    const char kind = peek(1);
    if (kind != '<' && kind != '=') unknown(begin);
    at_ += 2;
    const std::size_t at = at_;
    const std::string name = until(kind == '<' ? '>' : ')');
    if (!is_name(name)) fail("bad character in group name '" + name + "'", at);
    const auto known = names_.find(name);
    if (kind == '<') {
      ++groups_;
      if (known != names_.end())
        fail("redefinition of group name '" + name + "' as group " + std::to_string(groups_) +
                 "; was group " + std::to_string(known->second),
             at);
      names_[name] = groups_;
      open_.push_back({groups_, name, verbose_, begin});
      return put("(?P<" + name + ">", Before::nothing);
    }
    if (known == names_.end()) fail("unknown group name '" + name + "'", at);
    for (const Group& open : open_)
      if (open.name == name) fail("cannot refer to an open group", at);
    put("(?P=" + name + ")", Before::item);
  }

  // (?(1)…) and (?(name)…); PCRE2 has words of its own in that place.
  void condition(std::size_t begin) {
    const std::size_t at = ++at_;
    std::string name = until(')');
    const bool number = is_number(name);
    if (number) name.erase(0, name.find_first_not_of('0'));
    if (number && name.empty()) fail("bad group number", at);
    if (!number && !is_name(name)) fail("bad character in group name '" + name + "'", at);
    if (!number && names_.count(name) == 0) fail("unknown group name '" + name + "'", at);
    if (number) conditions_.emplace_back(name, at);
    open_.push_back({0, "", verbose_, begin, 2});
    put(number ? "(?(" + name + ")" : "(?(<" + name + ">)", Before::nothing);
  }

  // (?i) for all, which must come first, or (?i-s:…).
  void flags(std::size_t begin) {
    // Up to one of `ends`; `missing` says what should stand where neither does.
    const auto letters = [&](std::string_view ends, const char* missing, bool is_off) {
      std::string found;
      for (; at_ == text_.size() || ends.find(peek()) == ends.npos; found += text_[at_++]) {
        const char c = peek();
        if (kFlags.find(c) == kFlags.npos) fail(is_letter(c) ? "unknown flag" : missing, at_);
        if (is_off && (c == 'a' || c == 'L' || c == 'u'))
          fail("bad inline flags: cannot turn off flags 'a', 'u' and 'L'", at_ + 1);
        if (c == 'L') fail("bad inline flags: cannot use 'L' flag with a str pattern", at_ + 1);
        if (c == 'a') unsupported("the flag 'a'", at_);
      }
      return found;
    };
    std::string on = peek() == '-' ? "" : letters(")-:", "missing -, : or )", false);
    on.erase(std::remove(on.begin(), on.end(), 'u'), on.end());  // which holds anyway
    if (peek() == ')') {
      if (!at_start_) fail("global flags not at the start of the expression", begin);
      ++at_;
      out_ += on.empty() ? "" : "(?" + on + ")";
      verbose_ = verbose_ || has_x(on);
      return;
    }
    std::string off;
    if (peek() == '-') {
      ++at_;
      if (kFlags.find(peek()) == kFlags.npos && !is_letter(peek())) fail("missing flag", at_);
      off = letters(":", "missing :", true);
      for (const char flag : off)
        if (on.find(flag) != on.npos) fail("bad inline flags: flag turned on and off", at_);
    }
    ++at_;
    open_.push_back({0, "", verbose_, begin});
    verbose_ = (verbose_ || has_x(on)) && !has_x(off);
    put("(?" + on + (off.empty() ? "" : "-" + off) + ":", Before::nothing);
  }

  static bool has_x(const std::string& flags) { return flags.find('x') != flags.npos; }

  static constexpr std::string_view kFlags = "aiLmsux";

  const std::string& text_;
  std::string out_;
  std::size_t at_ = 0;
  Before before_ = Before::nothing;
  bool verbose_ = false;  // spaces and comments do not count
  bool at_start_ = true;  // only flags and comments so far
  unsigned groups_ = 0;
  std::vector<Group> open_;
  std::map<std::string, unsigned> names_;                        // with the number of the group
  std::vector<std::pair<std::string, std::size_t>> conditions_;  // numbers of groups, and where
};

}  // namespace

std::string translated(const std::string& pattern) {
  return Pattern(pattern).translated();
}

}  // namespace pretrained
