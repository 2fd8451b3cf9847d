#pragma once
// The declarations of a component as the fake host keeps them, and the check of a config against
// them: unknown keys, types, bounds, choices, required keys, defaults. Messages name the place and
// the key.
#include <vissl/params.h>
#include <vissl/test/toml.hpp>

#include <cmath>
#include <functional>

namespace vissl {
namespace test VISSL_HIDDEN {

struct DeclaredParam {
  std::string name, default_toml, component_kind, doc, vissl_key;
  std::uint32_t type = 0, flags = 0;
  double min = 0, max = 0;
  std::vector<std::string> choices;
};

struct Declared {
  std::vector<DeclaredParam> params;
  // derive, require, imply and vissl_prefix as text: "derive a <- len(b)", "require
  // data.train.collator.name in x", "imply a.b = 3", "prefix LOSS.x".
  std::vector<std::string> rules;

  const DeclaredParam* find(std::string_view name) const {
    for (const DeclaredParam& param : params) {
      if (param.name == name) return &param;
    }
    return nullptr;
  }
};

namespace detail {

inline Declared& declared_of(vissl_decl* decl) {
  return *reinterpret_cast<Declared*>(decl);
}
inline std::string text(vissl_str s) {
  return std::string(view(s));
}

inline vissl_status add_param(vissl_decl* decl, const vissl_param* p, vissl_err* err) {
  return guarded(err, [&] {
    DeclaredParam param = {text(p->name),
                           text(p->default_toml),
                           text(p->component_kind),
                           text(p->doc),
                           text(p->vissl_key),
                           p->type,
                           p->flags,
                           p->min,
                           p->max,
                           {}};
    for (std::uint64_t i = 0; i < p->choice_count; ++i)
      param.choices.push_back(text(p->choices[i]));
    if (declared_of(decl).find(param.name) != nullptr || param.name == "name") {
      fail(VISSL_E_PLUGIN, "'" + param.name + "' is declared twice");
    }
    if (param.doc.empty()) fail(VISSL_E_PLUGIN, "'" + param.name + "' has no description");
    declared_of(decl).params.push_back(std::move(param));
  });
}

}  // namespace detail

inline const vissl_params_api& params_service() {
  using detail::declared_of;
  using detail::text;
  static const vissl_params_api api = {
      sizeof(vissl_params_api),
      &detail::add_param,
      [](vissl_decl* decl, vissl_str name, vissl_str from, std::uint32_t strict, vissl_err* err) {
        return guarded(err, [&] {
          declared_of(decl).rules.push_back((strict != 0 ? "derive strictly " : "derive ") +
                                            text(name) + " <- " + text(from));
        });
      },
      [](vissl_decl* decl, vissl_str path, const vissl_str* allowed, std::uint64_t count,
         vissl_str why, vissl_err* err) {
        return guarded(err, [&] {
          std::string line = "require " + text(path) + " in";
          for (std::uint64_t i = 0; i < count; ++i) line += " " + text(allowed[i]);
          declared_of(decl).rules.push_back(line + " because " + text(why));
        });
      },
      [](vissl_decl* decl, vissl_str path, vissl_str toml, vissl_err* err) {
        return guarded(err, [&] {
          declared_of(decl).rules.push_back("imply " + text(path) + " = " + text(toml));
        });
      },
      [](vissl_decl* decl, vissl_str prefix, vissl_err* err) {
        return guarded(err, [&] { declared_of(decl).rules.push_back("prefix " + text(prefix)); });
      }};
  return api;
}

// Finds the declarations of an inner component; empty when its plugin is not loaded.
using FindDeclared =
    std::function<const Declared*(const std::string& kind, const std::string& name)>;

inline void check_config(Node& table, const Declared& declared, const FindDeclared& find);

namespace detail {

inline bool type_fits(const Node& node, std::uint32_t type) {
  switch (type) {
    case VISSL_P_BOOL:
      return node.type == VISSL_VALUE_BOOL;
    case VISSL_P_INT:
      return node.type == VISSL_VALUE_INT;
    case VISSL_P_NUMBER:
      return node.type == VISSL_VALUE_INT || node.type == VISSL_VALUE_NUMBER;
    case VISSL_P_STRING:
      return node.type == VISSL_VALUE_STRING;
    case VISSL_P_TABLE:
    case VISSL_P_COMPONENT:
    case VISSL_P_MODEL:
      return node.type == VISSL_VALUE_TABLE;
    default:
      return true;
  }
}

inline void check_value(Node& node, const DeclaredParam& param, const FindDeclared& find) {
  const std::uint32_t type = param.type & VISSL_P_TYPE_MASK;
  const std::string what = node.where + ": '" + param.name + "' ";
  if (!type_fits(node, type)) fail(VISSL_E_CONFIG, what + "has the wrong type");
  if (type == VISSL_P_INT || type == VISSL_P_NUMBER) {
    const double x = node.number;
    const bool low = (param.flags & VISSL_P_MIN_OPEN) != 0 ? !(x > param.min) : !(x >= param.min);
    const bool high = (param.flags & VISSL_P_MAX_OPEN) != 0 ? !(x < param.max) : !(x <= param.max);
    if (low || high) fail(VISSL_E_CONFIG, what + "is out of bounds");
  }
  if ((type == VISSL_P_STRING || type == VISSL_P_INT) && !param.choices.empty()) {
    const std::string value =
        type == VISSL_P_STRING ? node.text : std::to_string(static_cast<std::int64_t>(node.number));
    bool known = false;
    for (const std::string& choice : param.choices) known = known || choice == value;
    if (!known) fail(VISSL_E_CONFIG, what + "must not be '" + value + "'");
  }
  if (type == VISSL_P_COMPONENT) {
    const Node* name = node.find("name");
    if (name == nullptr) fail(VISSL_E_CONFIG, what + "has no 'name'");
    if (const Declared* inner = find(param.component_kind, name->text)) {
      check_config(node, *inner, find);
    }
  }
}

}  // namespace detail

// Checks `table` and adds the defaults of what it does not set. Throws Failure (VISSL_E_CONFIG).
inline void check_config(Node& table, const Declared& declared, const FindDeclared& find) {
  for (const auto& [key, node] : table.items) {
    if (key == "name") continue;
    const DeclaredParam* param = declared.find(key);
    if (param == nullptr) fail(VISSL_E_CONFIG, node->where + ": unknown key '" + key + "'");
    if ((param->type & VISSL_P_LIST) == 0) {
      detail::check_value(*node, *param, find);
      continue;
    }
    if (node->type != VISSL_VALUE_LIST) {
      fail(VISSL_E_CONFIG, node->where + ": '" + key + "' must be a list");
    }
    for (const auto& item : node->items) detail::check_value(*item.second, *param, find);
  }
  for (const DeclaredParam& param : declared.params) {
    if (table.find(param.name) != nullptr || (param.flags & VISSL_P_OPTIONAL) != 0) continue;
    if ((param.flags & VISSL_P_REQUIRED) != 0) {
      fail(VISSL_E_CONFIG, table.where + ": '" + param.name + "' is required");
    }
    parse_toml_value(param.default_toml, table.add(param.name));
  }
}

// A declaration's own default must pass the check that configs pass.
inline void check_defaults(const Declared& declared, const FindDeclared& find) {
  for (const DeclaredParam& param : declared.params) {
    if (param.default_toml.empty()) continue;
    Node table;
    table.type = VISSL_VALUE_TABLE;
    parse_toml_value(param.default_toml, table.add(param.name));
    Declared alone;
    alone.params.push_back(param);
    check_config(table, alone, find);
  }
}

}  // namespace test
}  // namespace vissl
