#include "host/config/overrides.hpp"

#include <optional>

#include "host/config/toml_read.hpp"
#include "host/files/error.hpp"

namespace vissl::host {
namespace {

[[noreturn]] void refuse(const std::string& reason) {
  throw Error(Exit::usage, "command line: " + reason);
}

std::optional<Value> as_toml(const std::string& text) {
  try {
    return parse_toml_value(text, Origin::at_command_line());
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::string trimmed(const std::string& text) {
  const std::size_t start = text.find_first_not_of(" \t");
  return start == std::string::npos ? ""
                                    : text.substr(start, text.find_last_not_of(" \t") - start + 1);
}

// [a, b] with words that carry no quotes.
Value word_list(const std::string& text) {
  Value list = Value::list({}, Origin::at_command_line());
  const std::string inside = text.substr(1, text.size() - 2);
  for (std::size_t start = 0; start <= inside.size();) {
    const std::size_t end = std::min(inside.find(',', start), inside.size());
    const std::string word = trimmed(inside.substr(start, end - start));
    if (!word.empty())
      list.items().push_back(as_toml(word).value_or(Value::text(word, Origin::at_command_line())));
    start = end + 1;
  }
  return list;
}

Value read_text(const std::string& text, const SchemaKey* place) {
  const bool wants_text =
      place != nullptr && place->shape == Shape::value && place->param.type == VISSL_P_STRING;
  const bool quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
                      text.back() == text.front();
  if (wants_text && !quoted) return Value::text(text, Origin::at_command_line());
  if (std::optional<Value> value = as_toml(text)) return *std::move(value);
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') return word_list(text);
  return Value::text(text, Origin::at_command_line());
}

// The element that an index or a [Name] means.
Value& element(Value& list, const PathStep& step, const std::string& path) {
  if (!list.is_list()) refuse(path + " is no list, so it has no [" + step.text + "]");
  if (step.kind == PathStep::Kind::any) refuse(path + "[*] is for plugins; use a number or a name");
  std::size_t position = step.index;
  if (step.kind == PathStep::Kind::named) {
    try {
      position = position_of(list, step.text, path);
    } catch (const Error& error) {
      refuse(error.what());
    }
  }
  if (position >= list.items().size())
    refuse(path + " has " + std::to_string(list.items().size()) + " elements; there is no [" +
           step.text + "]");
  return list.items()[position];
}

void set_name(Value& table, Value name, const std::string& path, std::vector<std::string>& notes) {
  const Value* before = table.find("name");
  if (before != nullptr && !same(*before, name)) {
    notes.push_back(path + ": '" + name.as_text() + "' (command line) replaces '" +
                    before->as_text() + "' (" + before->origin().where() +
                    ") and all its parameters");
    table = Value::table(Origin::at_command_line());
  }
  table.set("name", std::move(name));
}

}  // namespace

Override parse_override(const std::string& argument) {
  const std::size_t equals = argument.find('=');
  if (equals == std::string::npos)
    throw Error(
        Exit::usage,
        "'" + argument + "' is neither an option nor a setting; a setting is key.path=value");
  std::string path = trimmed(argument.substr(0, equals));
  if (path.starts_with('+')) path.erase(0, 1);
  return {parse_path(path), trimmed(argument.substr(equals + 1))};
}

void apply_override(Value& root, const Override& setting, Schemas& schemas,
                    std::vector<std::string>& notes) {
  Value* node = &root;
  const SchemaKey* place = &root_schema();
  std::string path;
  for (std::size_t i = 0; i < setting.path.size(); ++i) {
    const PathStep& step = setting.path[i];
    const bool last = i + 1 == setting.path.size();
    if (step.kind != PathStep::Kind::key) {
      Value& item = element(*node, step, path);
      path += "[" + step.text + "]";
      if (last) item = read_text(setting.text, nullptr);
      node = &item;
      continue;
    }
    if (!node->is_table())
      refuse(path + " is " + node->describe() + ", so it has no key '" + step.text + "'" +
             (node->is_list() && !node->items().empty()
                  ? "; say of which element, as in " + path + "[0]." + step.text
                  : ""));
    const SchemaKey* child = place != nullptr ? schemas.child(*place, node, step.text) : nullptr;
    if (last) {
      Value value = read_text(setting.text, child);
      if (place != nullptr && holds_components(*place) && step.text == "name")
        set_name(*node, std::move(value), path, notes);
      else
        node->set(step.text, std::move(value));
      return;
    }
    Value* next = node->find(step.text);
    if (next == nullptr && setting.path[i + 1].kind != PathStep::Kind::key)
      refuse(join_path(path, step.text) + " is not set, so it has no [" + setting.path[i + 1].text +
             "]");
    node = next != nullptr ? next : &node->set(step.text, Value::table(Origin::at_command_line()));
    place = child;
    path = join_path(path, step.text);
  }
}

}  // namespace vissl::host
