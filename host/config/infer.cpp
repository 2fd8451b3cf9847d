#include "host/config/infer.hpp"

#include <algorithm>
#include <map>

#include "host/config/path.hpp"
#include "host/config/toml_text.hpp"
#include "host/files/error.hpp"

namespace vissl::host {
namespace {

std::string component_text(const Placed& component) {
  return component.declaration->kind + " '" + component.declaration->name + "'";
}

// "exp.toml:3:8", where the component is named.
const std::string& component_place(const Placed& component) {
  const Value* name = component.table->find("name");
  return name != nullptr ? name->origin().where() : component.table->origin().where();
}

// The same before a sentence; nothing for a component that the config does not name.
std::string place_prefix(const Placed& component) {
  const Value* name = component.table->find("name");
  return name != nullptr && name->origin().by_user() ? name->origin().where() + ": " : "";
}

// What one component wants at one place.
struct Claim {
  Value value;
  const Placed* component;
  std::string reason;  // "model.heads[0].dims", empty for a plain value
};

Value number_like(double x, bool whole) {
  return whole ? Value::integer(static_cast<std::int64_t>(x)) : Value::number(x);
}

Value aggregate(const std::string& function, const std::vector<const Value*>& args) {
  const Value& first = *args.front();
  if (function == "len")
    return first.is_list() ? Value::integer(static_cast<std::int64_t>(first.items().size()))
                           : Value();
  if (function == "last")
    return first.is_list() && !first.items().empty() ? first.items().back() : Value();
  double result = function == "sum" ? 0.0 : 1.0;
  bool whole = true;
  const auto add = [&](const Value& x) {
    whole = whole && x.is(Value::Type::integer);
    result = function == "sum" ? result + x.as_number() : result * x.as_number();
  };
  for (const Value* arg : args) {
    if (!arg->is_list()) add(*arg);
    for (const Value& item : arg->items()) add(item);
  }
  return number_like(result, whole);
}

// Gives `table` another component: the former one's parameters go, unless the user wrote them.
void rename_component(Value& table, Value name) {
  std::erase_if(table.entries(),
                [](const TableEntry& entry) { return !entry.value.origin().by_user(); });
  table.set("name", std::move(name));
}

class Round {
 public:
  Round(Value& root, const std::vector<Placed>& components) : root_(root) {
    for (const Placed& component : components) {
      for (const Derivation& derivation : component.declaration->derivations)
        derive(component, derivation);
      for (const Implication& implication : component.declaration->implications)
        claim(implication.path, {implication.value, &component, ""});
      if (component.declaration->kind == "head") take_head_defaults(component);
    }
  }

  // Nodes are looked up again for each claim, because setting one may move others.
  bool apply() {
    bool changed = false;
    for (auto& [path, wanted] : claims_) changed = set(path, wanted) || changed;
    return changed;
  }

 private:
  void derive(const Placed& component, const Derivation& derivation) {
    Value value = evaluate(root_, derivation.from, component_text(component));
    if (value.is(Value::Type::none)) return;
    const Value* present = component.table->find(derivation.name);
    if (present != nullptr && present->origin().by_user()) {
      if (derivation.strict && !same_numbers(*present, value))
        throw Error(Exit::usage, present->origin().where() + ": '" + derivation.name + "' " +
                                     table_text(component.path, component.declaration->name) +
                                     " is " + inline_toml(*present) + ", but " + derivation.from +
                                     " (" + value.origin().where() + ") makes it " +
                                     inline_toml(value) + "; remove one of the two");
      return;
    }
    claim(join_path(component.path, derivation.name),
          {std::move(value), &component, derivation.from});
  }

  // model.head_defaults stands in for the defaults of the heads' parameters of the same name.
  void take_head_defaults(const Placed& head) {
    const Value* defaults = find_path(root_, "model.head_defaults");
    if (defaults == nullptr) return;
    for (const TableEntry& entry : defaults->entries()) {
      const Value* present = head.table->find(entry.key);
      if (head.declaration->find(entry.key) == nullptr ||
          (present != nullptr && present->origin().by_user()))
        continue;
      if (present != nullptr && same_numbers(*present, entry.value)) continue;
      claim(join_path(head.path, entry.key),
            {entry.value, &head, "model.head_defaults." + entry.key});
    }
  }

  static bool same_numbers(const Value& a, const Value& b) {
    const bool numbers = (a.is(Value::Type::integer) || a.is(Value::Type::number)) &&
                         (b.is(Value::Type::integer) || b.is(Value::Type::number));
    return numbers ? a.as_number() == b.as_number() : same(a, b);
  }

  void claim(const std::string& path, Claim wanted) {
    const auto [it, first] = claims_.try_emplace(path, wanted);
    if (first || same_numbers(it->second.value, wanted.value)) return;
    const Value* present = find_path(root_, path);
    if (present != nullptr && present->origin().by_user()) return;
    const Claim& other = it->second;
    throw Error(Exit::usage,
                component_place(*wanted.component) + ": " + component_text(*wanted.component) +
                    " sets " + path + " to " + inline_toml(wanted.value) + ", but " +
                    component_text(*other.component) + " (" + component_place(*other.component) +
                    ") sets it to " + inline_toml(other.value) + "; set it in the config");
  }

  bool set(const std::string& path, const Claim& wanted) {
    const std::vector<PathStep> steps = parse_path(path);
    const std::vector<PathStep> above(steps.begin(), steps.end() - 1);
    // A claim on a part of the config that does not exist, such as an absent [data.train], has no
    // object.
    Value* parent = above.empty() ? &root_ : const_cast<Value*>(find_path(root_, above));
    if (parent == nullptr || !parent->is_table() || steps.back().kind != PathStep::Kind::key)
      return false;
    const std::string& key = steps.back().text;
    const Value* present = parent->find(key);
    if (present != nullptr && (present->origin().by_user() || same_numbers(*present, wanted.value)))
      return false;
    Value value = wanted.value;
    value.set_origin_below(
        Origin::inferred_by(component_text(*wanted.component) +
                            (wanted.reason.empty() ? "" : " from " + wanted.reason)));
    if (key == "name")
      rename_component(*parent, std::move(value));
    else
      parent->set(key, std::move(value));
    return true;
  }

  Value& root_;
  std::map<std::string, Claim> claims_;
};

std::string allowed_text(const Requirement& requirement) {
  std::string out;
  for (std::size_t i = 0; i < requirement.allowed.size(); ++i)
    out += (i == 0                                ? "'"
            : i + 1 == requirement.allowed.size() ? " or '"
                                                  : ", '") +
           requirement.allowed[i] + "'";
  return out;
}

// Loss, optimizer, meters and hooks are there for training; other engines never make them, so that
// an evaluation may extend the config that trained the model.
bool idle(const Value& root, const std::string& path) {
  const Value* engine = find_path(root, "engine.name");
  if (engine == nullptr || engine->as_text() == "train") return false;
  for (const std::string_view part : {"loss", "optimizer", "meters", "hooks"}) {
    if (path.substr(0, part.size()) == part) return true;
  }
  return false;
}

bool lifted(const Value& root, const Requirement& requirement) {
  const Value* condition =
      requirement.unless.empty() ? nullptr : find_path(root, requirement.unless);
  return condition != nullptr && condition->as_bool();
}

}  // namespace

Value evaluate(const Value& root, const std::string& expression, const std::string& component) {
  const auto refuse = [&](const std::string& reason) {
    throw Error(Exit::bad_plugin, component + " derives a parameter from '" + expression +
                                      "': " + reason + "; report it to the plugin's author");
  };
  const std::size_t open = expression.find('(');
  std::vector<std::string> paths;
  std::string function;
  if (open == std::string::npos) {
    paths = {expression};
  } else {
    function = expression.substr(0, open);
    if (expression.back() != ')') refuse("a ')' is missing");
    std::string inside = expression.substr(open + 1, expression.size() - open - 2);
    std::erase(inside, ' ');
    const std::size_t comma = inside.find(',');
    paths = {inside.substr(0, comma)};
    if (comma != std::string::npos) paths.push_back(inside.substr(comma + 1));
    const bool known =
        function == "len" || function == "last" || function == "sum" || function == "product";
    if (!known) refuse("there is no function '" + function + "'");
    if (paths.size() != (function == "product" ? 2u : 1u)) refuse("wrong number of arguments");
  }
  std::vector<const Value*> values;
  for (const std::string& path : paths) {
    const Value* value = nullptr;
    try {
      value = find_path(root, path);
    } catch (const Error& error) {
      refuse(error.what());
    }
    if (value == nullptr) return Value();
    values.push_back(value);
  }
  if (function.empty()) return *values.front();
  Value result = aggregate(function, values);
  result.set_origin(values.front()->origin());
  return result;
}

bool infer_once(Value& root, const std::vector<Placed>& components) {
  return Round(root, components).apply();
}

void check_requirements(const Value& root, const std::vector<Placed>& components) {
  for (const Placed& component : components) {
    if (idle(root, component.path)) continue;
    for (const Requirement& requirement : component.declaration->requirements) {
      if (lifted(root, requirement)) continue;
      const Value* value = find_path(root, requirement.path);
      const std::string because = requirement.why.empty() ? "" : ", because " + requirement.why;
      if (requirement.allowed.empty()) {
        if (value == nullptr)
          throw Error(Exit::usage, place_prefix(component) + component_text(component) + " needs " +
                                       requirement.path + ", which the config does not give" +
                                       because);
        continue;
      }
      if (value == nullptr) continue;
      const std::string text = value->is_text() ? value->as_text() : inline_toml(*value);
      if (std::find(requirement.allowed.begin(), requirement.allowed.end(), text) !=
          requirement.allowed.end())
        continue;
      const bool users = value->origin().by_user();
      throw Error(Exit::usage, (users ? value->origin().where() : component_place(component)) +
                                   ": " + requirement.path + " is '" + text + "'" +
                                   (users ? "" : " (" + value->origin().where() + ")") + ", but " +
                                   component_text(component) + " needs " +
                                   allowed_text(requirement) + because);
    }
  }
}

}  // namespace vissl::host
