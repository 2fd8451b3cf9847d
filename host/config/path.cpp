#include "host/config/path.hpp"

#include <charconv>
#include <span>

#include "host/files/error.hpp"

namespace vissl::host {
namespace {

[[noreturn]] void refuse(std::string_view text, const std::string& reason) {
  throw Error(Exit::usage, "'" + std::string(text) + "' is no path into a config: " + reason);
}

PathStep bracket(std::string_view whole, std::string_view inside) {
  if (inside == "*") return {PathStep::Kind::any, "*", 0};
  if (inside.empty()) refuse(whole, "the brackets are empty");
  std::size_t index = 0;
  const auto number = std::from_chars(inside.data(), inside.data() + inside.size(), index);
  if (number.ec == std::errc() && number.ptr == inside.data() + inside.size())
    return {PathStep::Kind::index, std::string(inside), index};
  return {PathStep::Kind::named, std::string(inside), 0};
}

const Value* find_steps(const Value& node, std::span<const PathStep> steps) {
  if (steps.empty()) return &node;
  const PathStep& step = steps.front();
  const std::span<const PathStep> rest = steps.subspan(1);
  const auto first_of_list = [&](std::span<const PathStep> wanted) -> const Value* {
    for (const Value& item : node.items())
      if (const Value* found = find_steps(item, wanted)) return found;
    return nullptr;
  };
  switch (step.kind) {
    case PathStep::Kind::key: {
      if (node.is_list()) return first_of_list(steps);
      const Value* child = node.find(step.text);
      return child != nullptr ? find_steps(*child, rest) : nullptr;
    }
    case PathStep::Kind::index:
      return node.is_list() && step.index < node.items().size()
                 ? find_steps(node.items()[step.index], rest)
                 : nullptr;
    case PathStep::Kind::any:
      return node.is_list() ? first_of_list(rest) : nullptr;
    case PathStep::Kind::named:
      break;
  }
  for (const Value& item : node.items()) {
    const Value* name = item.find("name");
    if (name != nullptr && name->as_text() == step.text) return find_steps(item, rest);
  }
  return nullptr;
}

}  // namespace

std::vector<PathStep> parse_path(std::string_view text) {
  std::vector<PathStep> steps;
  std::string_view rest = text;
  bool after_dot = true;  // a key must follow
  while (!rest.empty()) {
    if (rest.front() == '[') {
      const std::size_t end = rest.find(']');
      if (end == std::string_view::npos) refuse(text, "a ']' is missing");
      if (after_dot) refuse(text, "a key is missing before '['");
      steps.push_back(bracket(text, rest.substr(1, end - 1)));
      rest.remove_prefix(end + 1);
    } else if (rest.front() == '.') {
      if (after_dot) refuse(text, "a key is missing before '.'");
      after_dot = true;
      rest.remove_prefix(1);
    } else {
      if (!after_dot) refuse(text, "a '.' is missing after ']'");
      const std::size_t end = std::min(rest.find_first_of(".["), rest.size());
      const std::string_view key = rest.substr(0, end);
      if (key.find_first_of("]\"'= ") != std::string_view::npos)
        refuse(text, "'" + std::string(key) + "' is no key");
      steps.push_back({PathStep::Kind::key, std::string(key), 0});
      after_dot = false;
      rest.remove_prefix(end);
    }
  }
  if (after_dot) refuse(text, text.empty() ? "it is empty" : "a key is missing at its end");
  return steps;
}

std::string path_text(const std::vector<PathStep>& steps) {
  std::string out;
  for (const PathStep& step : steps) {
    if (step.kind == PathStep::Kind::key)
      out += (out.empty() ? "" : ".") + step.text;
    else
      out += "[" + step.text + "]";
  }
  return out;
}

const Value* find_path(const Value& root, const std::vector<PathStep>& steps) {
  return find_steps(root, steps);
}
const Value* find_path(const Value& root, std::string_view path) {
  return find_steps(root, parse_path(path));
}

std::size_t position_of(const Value& list, const std::string& name, const std::string& path) {
  std::string names;
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < list.items().size(); ++i) {
    const Value* candidate = list.items()[i].find("name");
    if (candidate == nullptr) continue;
    names += (names.empty() ? "" : ", ") + candidate->as_text();
    if (candidate->as_text() == name) found.push_back(i);
  }
  if (found.size() == 1) return found.front();
  if (found.empty())
    throw Error(Exit::usage, path + " has no '" + name + "'" +
                                 (names.empty() ? "; it is empty" : "; it has " + names));
  std::string places;
  for (const std::size_t i : found) places += (places.empty() ? "" : " and ") + join_path(path, i);
  throw Error(Exit::usage,
              path + "[" + name + "] is ambiguous: " + places + " have that name; use the number");
}

std::string join_path(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : path + "." + std::string(key);
}
std::string join_path(const std::string& path, std::size_t index) {
  return path + "[" + std::to_string(index) + "]";
}

}  // namespace vissl::host
