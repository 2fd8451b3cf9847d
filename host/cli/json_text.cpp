#include "host/cli/json_text.hpp"

#include <cmath>

#include "host/config/toml_text.hpp"

namespace vissl::host {
namespace {

// Bytes of the well-formed UTF-8 character at the front, 0 when there is none.
std::size_t character_size(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xc0u) == 0x80u; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf && follows(1)) return 2;
  if (first >= 0xe0 && first <= 0xef && follows(1) && follows(2)) {
    const bool overlong = first == 0xe0 && byte(1) < 0xa0,
               surrogate = first == 0xed && byte(1) >= 0xa0;
    return overlong || surrogate ? 0 : 3;
  }
  if (first >= 0xf0 && first <= 0xf4 && follows(1) && follows(2) && follows(3)) {
    const bool overlong = first == 0xf0 && byte(1) < 0x90,
               beyond = first == 0xf4 && byte(1) >= 0x90;
    return overlong || beyond ? 0 : 4;
  }
  return 0;
}

void write(const Value& value, int indent, int depth, std::string& out) {
  const std::string inner =
      indent < 0 ? "" : "\n" + std::string(static_cast<std::size_t>(indent * (depth + 1)), ' ');
  const std::string outer =
      indent < 0 ? "" : "\n" + std::string(static_cast<std::size_t>(indent * depth), ' ');
  bool first = true;
  const auto next = [&] {
    out += (first ? "" : indent < 0 ? ", " : ",") + inner;
    first = false;
  };
  switch (value.type()) {
    case Value::Type::none:
      out += "null";
      return;
    case Value::Type::number:
      out += std::isfinite(value.as_number()) ? inline_toml(value) : "null";
      return;
    case Value::Type::boolean:
    case Value::Type::integer:
      out += inline_toml(value);
      return;
    case Value::Type::string:
      out += json_quoted(value.as_text());
      return;
    case Value::Type::list:
      if (value.items().empty() || !(value.items()[0].is_table() || value.items()[0].is_list()))
        indent = -1;
      out += '[';
      for (const Value& item : value.items()) {
        if (indent < 0) {
          out += first ? "" : ", ";
          first = false;
        } else {
          next();
        }
        write(item, indent, depth + 1, out);
      }
      out += (first || indent < 0 ? "" : outer) + "]";
      return;
    case Value::Type::table:
      break;
  }
  out += '{';
  for (const TableEntry& entry : value.entries()) {
    next();
    out += json_quoted(entry.key) + ": ";
    write(entry.value, indent, depth + 1, out);
  }
  out += (first ? "" : outer) + "}";
}

}  // namespace

std::string json_quoted(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    const char c = text.front();
    if (size == 0) {
      out += "\xef\xbf\xbd";
      text.remove_prefix(1);
      continue;
    }
    if (c == '"' || c == '\\')
      (out += '\\') += c;
    else if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else if (static_cast<unsigned char>(c) < 0x20)
      out += std::string("\\u00") + kHex[static_cast<unsigned char>(c) >> 4] + kHex[c & 15];
    else
      out += text.substr(0, size);
    text.remove_prefix(size);
  }
  return out + "\"";
}

std::string to_json(const Value& value, int indent) {
  std::string out;
  write(value, indent, 0, out);
  return out;
}

}  // namespace vissl::host
