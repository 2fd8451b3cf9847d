#include "host/config/toml_text.hpp"

#include <charconv>
#include <cmath>

namespace vissl::host {
namespace {

constexpr std::size_t kLineWidth = 100;

std::string number_text(double x) {
  if (std::isnan(x)) return "nan";
  if (std::isinf(x)) return x > 0 ? "inf" : "-inf";
  char buffer[64];
  const auto result = std::to_chars(buffer, buffer + sizeof(buffer), x);
  std::string text(buffer, result.ptr);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string quoted(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      default: {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f)
          out += std::string("\\u00") + kHex[byte >> 4] + kHex[byte & 15];
        else
          out += c;
      }
    }
  }
  return out + "\"";
}

std::string list_text(const Value& list, std::size_t used, const std::string& indent) {
  const std::string flat = inline_toml(list);
  const bool short_enough = used + flat.size() <= kLineWidth;
  bool nested = false;
  for (const Value& item : list.items()) nested = nested || item.is_table() || item.is_list();
  if (short_enough || list.items().empty() || !nested) return flat;
  std::string out = "[\n";
  for (const Value& item : list.items()) {
    const std::string inner = indent + "  ";
    out +=
        inner + (item.is_list() ? list_text(item, inner.size(), inner) : inline_toml(item)) + ",\n";
  }
  return out + indent + "]";
}

void write_table(const Value& table, const std::string& path, std::string& out) {
  std::string own;
  for (const TableEntry& entry : table.entries()) {
    if (entry.value.is_table() || entry.value.is(Value::Type::none)) continue;
    const std::string start = toml_key(entry.key) + " = ";
    own += start +
           (entry.value.is_list() ? list_text(entry.value, start.size(), "")
                                  : inline_toml(entry.value)) +
           "\n";
  }
  bool has_tables = false;
  for (const TableEntry& entry : table.entries()) has_tables = has_tables || entry.value.is_table();
  if (!path.empty() && (!own.empty() || !has_tables))
    out += (out.empty() ? "[" : "\n[") + path + "]\n";
  out += own;
  for (const TableEntry& entry : table.entries())
    if (entry.value.is_table())
      write_table(entry.value,
                  path.empty() ? toml_key(entry.key) : path + "." + toml_key(entry.key), out);
}

}  // namespace

std::string toml_key(std::string_view key) {
  const bool bare =
      !key.empty() &&
      key.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") ==
          std::string_view::npos;
  return bare ? std::string(key) : quoted(key);
}

std::string inline_toml(const Value& value) {
  std::string out;
  switch (value.type()) {
    case Value::Type::none:
      return "";
    case Value::Type::boolean:
      return value.as_bool() ? "true" : "false";
    case Value::Type::integer:
      return std::to_string(value.as_int());
    case Value::Type::number:
      return number_text(value.as_number());
    case Value::Type::string:
      return quoted(value.as_text());
    case Value::Type::list:
      for (const Value& item : value.items()) out += (out.empty() ? "" : ", ") + inline_toml(item);
      return "[" + out + "]";
    case Value::Type::table:
      break;
  }
  for (const TableEntry& entry : value.entries()) {
    if (entry.value.is(Value::Type::none)) continue;
    out += (out.empty() ? " " : ", ") + toml_key(entry.key) + " = " + inline_toml(entry.value);
  }
  return out.empty() ? "{}" : "{" + out + " }";
}

std::string toml_document(const Value& root) {
  std::string out;
  write_table(root, "", out);
  return out;
}

}  // namespace vissl::host
