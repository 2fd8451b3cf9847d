#include "host/files/module_state.hpp"

#include <algorithm>

#include "host/files/counted.hpp"
#include "host/files/damage.hpp"

namespace vissl::host {
namespace {

const Node* part_of(const Opaque& object, std::string_view name) {
  const auto found = std::ranges::find(
      object.parts, name, [](const auto& part) { return std::string_view(part.first); });
  return found == object.parts.end() ? nullptr : &found->second;
}

// The attributes of an object: its state, or the first half of (attributes, slots).
const Node* attributes_of(const Node& node) {
  if (node.kind() != Node::Kind::opaque) return nullptr;
  const Node* state = part_of(node.as_opaque(), "state");
  if (state != nullptr && state->kind() == Node::Kind::tuple && !state->as_items().empty()) {
    state = &state->as_items().front();
  }
  return state != nullptr && state->kind() == Node::Kind::dict ? state : nullptr;
}

bool is_module(const Node& node) {
  const Node* attributes = attributes_of(node);
  return attributes != nullptr && attributes->find("_parameters") != nullptr &&
         attributes->find("_modules") != nullptr;
}

bool is_script(const Node& node) {
  return node.kind() == Node::Kind::opaque &&
         node.as_opaque().class_name.starts_with("__torch__.") && attributes_of(node) != nullptr;
}

// Names in the set of buffers that are not saved.
bool is_transient(const Node& attributes, const Key& name) {
  const Node* set = attributes.find("_non_persistent_buffers_set");
  if (set == nullptr || set->kind() != Node::Kind::opaque) return false;
  const Node* members = part_of(set->as_opaque(), "elements");
  return members != nullptr && members->kind() == Node::Kind::list &&
         std::ranges::any_of(members->as_items(), [&](const Node& member) {
           return member.kind() == Node::Kind::text && member.as_text() == to_text(name);
         });
}

// Entries of a module's dict, which may be an OrderedDict or None.
const std::vector<Dict::Entry>& entries_of(const Node& attributes, const char* name) {
  static const std::vector<Dict::Entry> kNone;
  const Node* found = attributes.find(name);
  return found != nullptr && found->kind() == Node::Kind::dict ? found->as_dict().entries() : kNone;
}

void collect(const Node& module, const std::string& prefix, const ScriptNames& script, Dict& out) {
  const Node& attributes = *attributes_of(module);
  if (is_module(module)) {
    for (const auto& [name, value] : entries_of(attributes, "_parameters")) {
      if (value.kind() == Node::Kind::tensor) out.set(prefix + to_text(name), value);
    }
    for (const auto& [name, value] : entries_of(attributes, "_buffers")) {
      if (value.kind() == Node::Kind::tensor && !is_transient(attributes, name)) {
        out.set(prefix + to_text(name), value);
      }
    }
    for (const auto& [name, value] : entries_of(attributes, "_modules")) {
      if (is_module(value)) collect(value, prefix + to_text(name) + ".", script, out);
    }
    return;
  }
  const auto known = script.find(module.as_opaque().class_name);
  for (const auto& [name, value] : attributes.as_dict().entries()) {
    const bool is_state = known == script.end() || known->second.contains(to_text(name));
    if (value.kind() == Node::Kind::tensor && is_state) out.set(prefix + to_text(name), value);
    if (is_script(value)) collect(value, prefix + to_text(name) + ".", script, out);
  }
}

void replace(Node& node, const ScriptNames& script, std::vector<std::string>& warnings) {
  switch (node.kind()) {
    case Node::Kind::list:
    case Node::Kind::tuple:
      for (Node& item : node.as_items()) replace(item, script, warnings);
      return;
    case Node::Kind::dict:
      for (Dict::Entry& entry : node.as_dict().entries()) replace(entry.value, script, warnings);
      return;
    case Node::Kind::opaque:
      break;
    default:
      return;
  }
  if (is_module(node) || is_script(node)) {
    Dict state;
    state.is_ordered_dict = true;
    collect(node, "", script, state);
    warnings.push_back("a saved object of the class " + quoted_name(node.as_opaque().class_name) +
                       " was read as its " +
                       counted(static_cast<std::int64_t>(state.size()), "tensor"));
    node = Node(std::move(state));
    return;
  }
  for (auto& part : node.as_opaque().parts) replace(part.second, script, warnings);
  const Node* items = part_of(node.as_opaque(), "items");
  if (items != nullptr && items->kind() == Node::Kind::dict) {
    Node taken = *items;
    node = std::move(taken);
  }
}

}  // namespace

void take_module_states(WeightsFile& file, const ScriptNames& script) {
  replace(file.tree, script, file.warnings);
}

}  // namespace vissl::host
