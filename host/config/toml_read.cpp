#include "host/config/toml_read.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "host/files/error.hpp"

namespace vissl::host {
namespace {

Origin place(const toml::source_region& source, const std::string& shown) {
  return Origin::at_file(shown, source.begin.line, source.begin.column);
}

// How VISSL's configs begin.
bool looks_like_yaml(std::string_view text) {
  static constexpr std::string_view kFirstLines[] = {"---", "# @package", "config:", "defaults:"};
  return std::any_of(std::begin(kFirstLines), std::end(kFirstLines),
                     [&](std::string_view line) { return text.starts_with(line); });
}

Value convert(const toml::node& node, const std::string& shown) {
  Origin origin = place(node.source(), shown);
  if (const auto* b = node.as_boolean()) return Value::boolean(b->get(), std::move(origin));
  if (const auto* i = node.as_integer()) return Value::integer(i->get(), std::move(origin));
  if (const auto* x = node.as_floating_point()) return Value::number(x->get(), std::move(origin));
  if (const auto* s = node.as_string()) return Value::text(s->get(), std::move(origin));
  if (const auto* array = node.as_array()) {
    Value list = Value::list({}, std::move(origin));
    for (const toml::node& item : *array) list.items().push_back(convert(item, shown));
    return list;
  }
  const auto* table = node.as_table();
  if (table == nullptr)
    throw Error(
        Exit::usage,
        origin.where() + ": dates and times are no configuration values; write it as a \"string\"");
  // toml++ sorts the keys; the file's own order is better to read and decides nothing else.
  std::vector<std::pair<const toml::key*, const toml::node*>> pairs;
  for (const auto& [key, child] : *table) pairs.emplace_back(&key, &child);
  std::stable_sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) {
    return a.first->source().begin < b.first->source().begin;
  });
  Value out = Value::table(std::move(origin));
  for (const auto& [key, child] : pairs)
    out.entries().push_back(
        TableEntry{std::string(key->str()), convert(*child, shown), place(key->source(), shown)});
  return out;
}

}  // namespace

Value parse_toml(std::string_view text, const std::string& shown) {
  try {
    const toml::table parsed = toml::parse(text, shown);
    return convert(parsed, shown);
  } catch (const toml::parse_error& error) {
    std::string reason(error.description());
    throw Error(Exit::usage, place(error.source(), shown).where() + ": " + reason);
  }
}

Value read_toml_file(const std::string& path, const std::string& shown) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    throw Error(Exit::usage, "cannot read the config file '" + shown + "': it is a folder");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file || (text.fail() && file.peek() != std::ifstream::traits_type::eof()))
    throw Error(Exit::usage, "cannot read the config file '" + shown +
                                 "': " + std::strerror(errno != 0 ? errno : EIO));
  const bool named_yaml = shown.ends_with(".yaml") || shown.ends_with(".yml");
  if (named_yaml || looks_like_yaml(text.str()))
    throw Error(Exit::usage, "the config file '" + shown +
                                 "' is YAML; configs are TOML, whose keys are VISSL's in lower "
                                 "case: [optimizer] num_epochs = 100");
  return parse_toml(text.str(), shown);
}

Value parse_toml_value(std::string_view text, const Origin& origin) {
  // A line break would let the text define further keys.
  if (text.find('\n') != std::string_view::npos)
    throw Error(Exit::usage, "the value '" + std::string(text) + "' has more than one line");
  try {
    const toml::table parsed = toml::parse("value = " + std::string(text));
    Value value = convert(*parsed.get("value"), "value");
    value.set_origin_below(origin);
    return value;
  } catch (const toml::parse_error& error) {
    throw Error(Exit::usage, "'" + std::string(text) +
                                 "' is no TOML value: " + std::string(error.description()));
  }
}

}  // namespace vissl::host
