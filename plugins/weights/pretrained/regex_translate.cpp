#include "regex_translate.hpp"

#include <vissl/error.hpp>

#include <algorithm>
#include <set>
#include <vector>

namespace pretrained {

namespace {

[[noreturn]] void refuse(const std::string& text, const std::string& what, std::size_t at) {
  vissl::fail(VISSL_E_CONFIG, "the rule '" + text + "': " + what + " at position " +
                                  std::to_string(at) + "; rules are regular expressions of Python");
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_octal(char c) {
  return c >= '0' && c <= '7';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
// Of an identifier; characters beyond ASCII are letters here.
bool is_word(char c) {
  return is_letter(c) || is_digit(c) || c == '_' || (static_cast<unsigned char>(c) & 0x80) != 0;
}
bool is_name(const std::string& text) {
  return !text.empty() && !is_digit(text[0]) && std::all_of(text.begin(), text.end(), is_word);
}
bool is_number(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

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
    return std::move(out_);
  }

 private:
  // What a quantifier would stand behind.
  enum class Before { nothing, anchor, quantifier, item };
  struct Group {
    unsigned number;   // 0: captures nothing
    std::string name;  // empty: none
    bool verbose;      // around it
  };

  [[noreturn]] void fail(const std::string& what, std::size_t at) const { refuse(text_, what, at); }
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
        ++at_;
        if (!open_.empty()) {
          verbose_ = open_.back().verbose;
          open_.pop_back();
        }
        return put(")", Before::item);
      case '|':
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
    std::string text = "{" + (least.empty() ? "0" : least);
    if (range) text += "," + most;
    quantifier(text + "}", begin);
  }

  void escape() {
    const std::size_t begin = at_++;
    const char c = peek();
    if (begin + 1 == text_.size()) fail("a backslash ends it", begin);
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
    if (group > groups_) fail("invalid group reference " + digits, begin);
    for (const Group& open : open_)
      if (open.number == group) fail("cannot refer to an open group", begin);
    put("\\g{" + digits + "}", Before::item);
  }

  std::string octal(std::size_t begin) {
    unsigned value = 0;
    for (int i = 0; i < 3 && is_octal(peek()); ++i)
      value = 8 * value + static_cast<unsigned>(text_[at_++] - '0');
    if (value > 0377) fail("an octal escape is above \\377", begin);
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
      const std::string code = text_.substr(at_, digits);
      if (code.size() != digits || code.find_first_not_of("0123456789abcdefABCDEF") != code.npos)
        fail(std::string("bad escape \\") + c, begin);
      at_ += digits;
      return "\\x{" + code + "}";
    }
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
    if (at_ == text_.size()) fail("a backslash ends it", begin);
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
      open_.push_back({++groups_, "", verbose_});
      return put("(", Before::nothing);
    }
    ++at_;
    for (const char* same : {":", "=", "!", ">", "<=", "<!"}) {
      const std::string_view kind = same;
      if (text_.compare(at_, kind.size(), kind) != 0) continue;
      at_ += kind.size();
      open_.push_back({0, "", verbose_});
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
    if (is_letter(c) || c == '-') return flags(begin);
    unknown(begin);
  }

  [[noreturn]] void unknown(std::size_t begin) const {
    fail("unknown extension " + text_.substr(begin, std::min(at_ + 1, text_.size()) - begin),
         begin);
  }

  // Up to the bracket that ends a name.
  std::string until(char end, std::size_t begin) {
    const std::size_t found = text_.find(end, at_);
    if (found == std::string::npos)
      fail(std::string("missing ") + end + ", unterminated name", begin);
    std::string name = text_.substr(at_, found - at_);
    at_ = found + 1;
    return name;
  }

  // (?P<name>…) and (?P=name)
  void named(std::size_t begin) {
    ++at_;
    const char kind = peek();
    if (kind != '<' && kind != '=') unknown(begin);
    ++at_;
    const std::string name = until(kind == '<' ? '>' : ')', begin);
    if (!is_name(name)) fail("bad character in group name '" + name + "'", begin);
    if (kind == '<') {
      if (!names_.insert(name).second) fail("redefinition of group name '" + name + "'", begin);
      open_.push_back({++groups_, name, verbose_});
      return put("(?P<" + name + ">", Before::nothing);
    }
    if (names_.count(name) == 0) fail("unknown group name '" + name + "'", begin);
    for (const Group& open : open_)
      if (open.name == name) fail("cannot refer to an open group", begin);
    put("(?P=" + name + ")", Before::item);
  }

  // (?(1)…) and (?(name)…); PCRE2 has words of its own in that place.
  void condition(std::size_t begin) {
    ++at_;
    const std::string name = until(')', begin);
    if (is_number(name) && name.find_first_not_of('0') == name.npos)
      fail("bad group number", begin);
    if (!is_number(name) && !is_name(name))
      fail("bad character in group name '" + name + "'", begin);
    if (!is_number(name) && names_.count(name) == 0)
      fail("unknown group name '" + name + "'", begin);
    open_.push_back({0, "", verbose_});
    put(is_number(name) ? "(?(" + name + ")" : "(?(<" + name + ">)", Before::nothing);
  }

  // (?i) for all, which must come first, or (?i-s:…).
  void flags(std::size_t begin) {
    const auto letters = [&] {
      std::string found;
      for (; is_letter(peek()); ++at_) {
        if (std::string_view("imsux").find(peek()) == std::string_view::npos) unknown(begin);
        if (peek() != 'u') found += peek();  // which holds anyway
      }
      return found;
    };
    const std::string on = letters();
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
      off = letters();
      if (off.empty()) fail("missing flag", at_);
      for (const char flag : off)
        if (on.find(flag) != on.npos) fail("bad inline flags: flag turned on and off", begin);
    }
    if (peek() != ':') unknown(begin);
    ++at_;
    open_.push_back({0, "", verbose_});
    verbose_ = (verbose_ || has_x(on)) && !has_x(off);
    put("(?" + on + (off.empty() ? "" : "-" + off) + ":", Before::nothing);
  }

  static bool has_x(const std::string& flags) { return flags.find('x') != flags.npos; }

  const std::string& text_;
  std::string out_;
  std::size_t at_ = 0;
  Before before_ = Before::nothing;
  bool verbose_ = false;  // spaces and comments do not count
  bool at_start_ = true;  // only flags and comments so far
  unsigned groups_ = 0;
  std::vector<Group> open_;
  std::set<std::string> names_;
};

}  // namespace

std::string translated(const std::string& pattern) {
  return Pattern(pattern).translated();
}

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
    if (++i == text.size()) refuse(text, "a backslash ends the replacement", i - 1);
    const char next = text[i];
    const std::size_t control = kLetters.find(next);
    if (next == 'g') {
      const std::size_t end = text.find('>', i);
      if (i + 1 >= text.size() || text[i + 1] != '<' || end == std::string::npos)
        refuse(text, "\\g needs a group's <name>", i - 1);
      const std::string name = text.substr(i + 2, end - i - 2);
      if (!is_number(name) && !is_name(name))
        refuse(text, "bad character in group name '" + name + "'", i - 1);
      out += "${" + name + "}";
      i = end;
    } else if (next == '0' || (octal(i) && octal(i + 1) && octal(i + 2))) {
      unsigned value = 0;
      const std::size_t end = i + 3;
      for (; i < end && octal(i); ++i) value = 8 * value + static_cast<unsigned>(text[i] - '0');
      --i;
      // A name has no byte 0, and what lies above ASCII is no single byte.
      if (value == 0 || value > 0177) refuse(text, "a character that no name has", i);
      const char made = static_cast<char>(value);
      out += made == '$' ? "$$" : std::string(1, made);
    } else if (is_digit(next)) {
      std::string group(1, next);
      if (digit(i + 1)) group += text[++i];
      out += "${" + group + "}";
    } else if (control != std::string_view::npos) {
      out += kControls[control];
    } else if (is_letter(next)) {
      refuse(text, std::string("bad escape \\") + next, i - 1);
    } else {
      out += next;
    }
  }
  return out;
}

}  // namespace pretrained
