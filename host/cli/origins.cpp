#include "host/cli/origins.hpp"

#include <algorithm>

#include "host/cli/json_text.hpp"
#include "host/config/path.hpp"
#include "host/config/toml_text.hpp"

namespace vissl::host {
namespace {

bool is_plain_list(const Value& value) {
  return value.is_list() &&
         std::none_of(value.items().begin(), value.items().end(),
                      [](const Value& item) { return item.is_table() || item.is_list(); });
}

void collect(const Value& value, const std::string& path, std::vector<Leaf>& out) {
  if (value.is_table()) {
    for (const TableEntry& entry : value.entries())
      collect(entry.value, join_path(path, toml_key(entry.key)), out);
  } else if (value.is_list() && !is_plain_list(value)) {
    for (std::size_t i = 0; i < value.items().size(); ++i)
      collect(value.items()[i], join_path(path, i), out);
  } else {
    out.emplace_back(path, &value);
  }
}

}  // namespace

std::vector<Leaf> leaves(const Value& root) {
  std::vector<Leaf> out;
  collect(root, "", out);
  return out;
}

std::string origins_json(const Value& root) {
  std::string out;
  for (const auto& [path, value] : leaves(root))
    out += (out.empty() ? "{\n  " : ",\n  ") + json_quoted(path) + ": " +
           json_quoted(value->origin().where());
  return out.empty() ? "{}\n" : out + "\n}\n";
}

}  // namespace vissl::host
