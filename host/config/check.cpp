#include "host/config/check.hpp"

#include <algorithm>
#include <filesystem>

#include "host/config/path.hpp"
#include "host/config/suggest.hpp"
#include "host/files/error.hpp"
#include "host/files/locator_text.hpp"

namespace fs = std::filesystem;

namespace vissl::host {
namespace {

[[noreturn]] void refuse(const Origin& origin, const std::string& text) {
  throw Error(Exit::usage, origin.where() + ": " + text);
}

// Relative to the file that names it, or to the working folder when the command line does; "~" is
// expanded. Locators stay: "scheme://…", what begins with one of `prefixes`, and "scheme:…" unless
// there is such a file.
void make_absolute(Value& node, const std::vector<std::string>& prefixes) {
  for (Value& item : node.items()) make_absolute(item, prefixes);
  if (!node.is_text() || node.as_text().empty() || !node.origin().by_user() ||
      node.as_text().find("://") != std::string::npos)
    return;
  for (const std::string& prefix : prefixes)
    if (node.as_text().starts_with(prefix)) return;
  const fs::path given(expand_home(node.as_text()));
  const fs::path folder = fs::path(node.origin().file()).parent_path();
  std::error_code unreadable;
  if (!scheme_word(node.as_text()).name.empty() && !fs::exists(folder / given, unreadable)) return;
  if (given.is_absolute() && given == fs::path(node.as_text())) return;
  const fs::path whole = given.is_absolute() ? given : fs::absolute(folder / given);
  node = Value::text(whole.lexically_normal().string(), node.origin());
}

// The beginnings of locators that entries of weights_schemes name.
std::vector<std::string> locator_prefixes(const Value& root) {
  std::vector<std::string> prefixes;
  if (const Value* schemes = root.find("weights_schemes"); schemes != nullptr)
    for (const Value& entry : schemes->items())
      if (const Value* prefix = entry.find("prefix"); prefix != nullptr)
        if (!prefix->as_text().empty()) prefixes.push_back(prefix->as_text());
  return prefixes;
}

std::vector<std::string> names_of(const std::vector<SchemaKey>& keys) {
  std::vector<std::string> names;
  for (const SchemaKey& key : keys) names.push_back(key.param.name);
  return names;
}

// The key of a place; those of free names, such as splits, only the path knows.
std::string shown_name(const SchemaKey& place, const std::string& path) {
  return place.param.name.empty() ? path.substr(path.rfind('.') + 1) : place.param.name;
}

// "a table", "a list of transform tables { name = … }" for places that are no plain values.
std::string shape_text(const SchemaKey& place) {
  if (place.shape == Shape::head_list)
    return "a list of head tables { name = … }, or of lists of them";
  if (place.shape == Shape::component_or_list)
    return expectation(place.param) + ", or a list of them";
  return expectation(place.param);
}

}  // namespace

std::string table_text(const std::string& path, const std::string& component) {
  if (path.empty()) return "at the top level";
  const std::string out = path.find('[') == std::string::npos ? "in [" + path + "]" : "in " + path;
  return component.empty() ? out : out + " (" + component + ")";
}

void Checker::walk(Value& root, bool strict) {
  strict_ = strict;
  components_.clear();
  locator_prefixes_ = locator_prefixes(root);
  warnings_.clear();
  table(root, root_schema(), root_schema().inner, "", "");
}

void Checker::unknown_key(const TableEntry& entry, const std::vector<SchemaKey>& keys,
                          const std::string& path, const std::string& owner) {
  if (strict_)
    refuse(entry.key_origin, "unknown key '" + entry.key + "' " + table_text(path, owner) +
                                 suggestion(entry.key, names_of(keys)));
}

void Checker::table(Value& node, const SchemaKey& place, const std::vector<SchemaKey>& keys,
                    const std::string& path, const std::string& owner) {
  const auto schema_of = [&](const TableEntry& entry) -> const SchemaKey* {
    for (const SchemaKey& key : keys)
      if (key.param.name == entry.key) return &key;
    // A plain value cannot be one of the free names: `num_worker = 4` in [data] is a typing error
    // and no split.
    const bool free_name = place.shape == Shape::section && !place.others.empty() &&
                           (keys.empty() || entry.value.is_table() || entry.value.is_list());
    return free_name ? &place.others.front() : nullptr;
  };
  // All entries first: later additions would move the tables that `components_` points to.
  for (const SchemaKey& key : keys) {
    if (node.find(key.param.name) != nullptr) continue;
    if (key.param.fallback)
      node.set(key.param.name, *key.param.fallback);
    else if (key.present)
      node.set(key.param.name, Value::table());
  }
  for (TableEntry& entry : node.entries()) {
    const SchemaKey* key = schema_of(entry);
    if (key == nullptr) {
      unknown_key(entry, keys, path, owner);
      continue;
    }
    // The default of a deprecated key is no use of it: a printed config holds every default.
    const bool used = entry.value.origin().by_user() &&
                      !(key->param.fallback && same(entry.value, *key->param.fallback));
    if (strict_ && key->param.has(VISSL_P_DEPRECATED) && used)
      warnings_.push_back(entry.key_origin.where() + ": '" + entry.key + "' " +
                          table_text(path, owner) + " is deprecated: " + key->param.doc);
    any_shape(entry.value, *key, join_path(path, entry.key), table_text(path, owner));
  }
  for (const SchemaKey& key : keys)
    if (strict_ && key.param.has(VISSL_P_REQUIRED) && node.find(key.param.name) == nullptr)
      refuse(node.origin(), "'" + key.param.name + "' is missing " + table_text(path, owner) +
                                "; it must be " + shape_text(key) +
                                (key.param.doc.empty() ? "" : ": " + key.param.doc));
}

void Checker::any_shape(Value& node, const SchemaKey& place, const std::string& path,
                        const std::string& owner) {
  const bool is_list = place.shape == Shape::component_list || place.shape == Shape::head_list ||
                       place.shape == Shape::section_list ||
                       (place.shape == Shape::component_or_list && node.is_list());
  if (is_list) return list(node, place, path, owner);
  if (place.shape == Shape::value) return value(node, place, path, owner);
  if (!node.is_table()) {
    if (strict_)
      refuse(node.origin(), "'" + shown_name(place, path) + "' " + owner + " must be " +
                                shape_text(place) + ", not " + node.describe());
    return;
  }
  if (place.shape == Shape::section)
    table(node, place, place.inner, path, "");
  else
    component(node, place, path);
}

void Checker::value(Value& node, const SchemaKey& place, const std::string& path,
                    const std::string& owner) {
  const std::optional<std::string> wrong = mismatch(place.param, node);
  if (wrong && strict_)
    refuse(node.origin(), "'" + shown_name(place, path) + "' " + owner + " " + *wrong);
  if (!wrong && place.param.has(VISSL_P_PATH)) make_absolute(node, locator_prefixes_);
}

void Checker::list(Value& node, const SchemaKey& place, const std::string& path,
                   const std::string& owner) {
  if (!node.is_list()) {
    if (strict_)
      refuse(node.origin(), "'" + shown_name(place, path) + "' " + owner + " must be " +
                                shape_text(place) + ", not " + node.describe());
    return;
  }
  if (strict_ && place.param.has(VISSL_P_REQUIRED) && node.items().empty())
    refuse(node.origin(), "'" + shown_name(place, path) + "' " + owner + " is empty; it must be " +
                              shape_text(place));
  for (std::size_t i = 0; i < node.items().size(); ++i) {
    Value& item = node.items()[i];
    const std::string item_path = join_path(path, i);
    if (item.is_table()) {
      if (place.shape == Shape::section_list)
        table(item, place, place.inner, item_path, "");
      else
        component(item, place, item_path);
    } else if (place.shape == Shape::head_list && item.is_list() && !item.items().empty() &&
               std::all_of(item.items().begin(), item.items().end(),
                           [](const Value& head) { return head.is_table(); })) {
      for (std::size_t j = 0; j < item.items().size(); ++j)
        component(item.items()[j], place, join_path(item_path, j));
    } else if (strict_) {
      refuse(item.origin(), "'" + shown_name(place, path) + "' " + owner + " must be " +
                                shape_text(place) + ", but element " + std::to_string(i) + " is " +
                                item.describe());
    }
  }
}

void Checker::unknown_component(const Value& node, const SchemaKey& place, const std::string& name,
                                const std::string& path) {
  if (!strict_) return;
  DeclarationIndex& index = schemas_.index();
  const std::string& kind = place.param.component_kind;
  const std::vector<std::string> names = index.names(kind);
  if (name.empty())
    refuse(node.origin(), "'name' is missing " + table_text(path, "") + "; it must say which " +
                              kind + " it is" + suggestion("", names));
  const Value* given = node.find("name");
  const std::string none =
      names.empty() ? "; no plugin offers any " + kind : suggestion(name, names);
  refuse(
      given != nullptr ? given->origin() : node.origin(),
      "there is no " + kind + " '" + name + "'" + none + " (looked in " + index.searched() + ")");
}

void Checker::component(Value& node, const SchemaKey& place, const std::string& path) {
  if (node.find("name") == nullptr && !place.default_name.empty())
    node.set("name", Value::text(place.default_name));
  const Value* given = node.find("name");
  if (strict_ && given != nullptr && !given->is_text())
    refuse(given->origin(),
           "'name' " + table_text(path, "") + " must be a string, not " + given->describe());
  const std::string name = component_name(place, &node);
  const std::string where = given != nullptr ? given->origin().where() : node.origin().where();
  const std::vector<SchemaKey>* keys =
      name.empty() ? nullptr : schemas_.component_keys(place, name, where);
  if (keys == nullptr) return unknown_component(node, place, name, path);
  components_.push_back(
      {&node, schemas_.index().find(place.param.component_kind, name, where), path});
  table(node, place, *keys, path, name);
}

}  // namespace vissl::host
