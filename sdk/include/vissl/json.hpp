#pragma once
// Writes JSON text: Json().object().key("top_1").number(75.6).text()
#include <vissl/error.hpp>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

class Json {
 public:
  Json& object() { return open('{', '}'); }
  Json& array() { return open('[', ']'); }
  Json& close() {
    if (open_.empty()) fail("Json::close without an open object or array");
    text_ += open_.back();
    open_.pop_back();
    return *this;
  }
  Json& key(std::string_view name) {
    separate();
    quote(name);
    text_ += ": ";
    return *this;
  }
  // The shortest digits that read back as the same number; null for infinities and NaN, which JSON
  // has not.
  Json& number(double value) {
    if (!std::isfinite(value)) return raw("null");
    char digits[40];
    return raw({digits, static_cast<std::size_t>(
                            std::to_chars(digits, digits + sizeof digits, value).ptr - digits)});
  }
  Json& integer(std::int64_t value) { return raw(std::to_string(value)); }
  Json& boolean(bool value) { return raw(value ? "true" : "false"); }
  Json& string(std::string_view value) {
    separate();
    quote(value);
    return *this;
  }
  // The text, with everything that is still open closed.
  std::string text() const { return text_ + std::string(open_.rbegin(), open_.rend()); }

 private:
  Json& open(char opening, char closing) {
    separate();
    text_ += opening;
    open_ += closing;
    return *this;
  }
  Json& raw(std::string_view text) {
    separate();
    text_ += text;
    return *this;
  }
  void separate() {
    if (text_.empty()) return;
    const char last = text_.back();
    if (last != '{' && last != '[' && !(last == ' ' && text_[text_.size() - 2] == ':'))
      text_ += ", ";
  }
  void quote(std::string_view value) {
    static constexpr char kHex[] = "0123456789abcdef";
    text_ += '"';
    for (const char c : value) {
      const unsigned code = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') {
        (text_ += '\\') += c;
      } else if (code < 0x20) {
        ((text_ += "\\u00") += kHex[code >> 4]) += kHex[code & 15];
      } else {
        text_ += c;
      }
    }
    text_ += '"';
  }
  std::string text_;
  std::string open_;  // the closing characters, innermost last
};

}  // namespace abi1
}  // namespace vissl
