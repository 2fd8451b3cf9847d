#include "host/plugin/conformance/make_config.hpp"

#include <cmath>
#include <optional>

#include "host/config/toml_read.hpp"

namespace vissl::host {
namespace {

// How values are invented: components relate their parameters in ways that declarations do not
// say, so several ways are tried.
struct Style {
  std::size_t length;    // of lists
  std::int64_t integer;  // moved into the bounds
  bool nested;           // a free value is a list of pairs, else an integer
};
constexpr Style kStyles[] = {{2, 8, false}, {3, 8, false}, {1, 8, true},   {2, 8, true},
                             {1, 8, false}, {2, 2, false}, {2, 32, false}, {1, 1, false}};

class Maker {
 public:
  Maker(PluginCatalogue& catalogue, const Style& style) : catalogue_(catalogue), style_(style) {}

  bool made_up() const { return made_up_; }
  const std::string& missing() const { return missing_; }

  Value table(const Declaration& declaration, const std::map<std::string, std::string>& given) {
    Value out = Value::table();
    out.set("name", Value::text(declaration.name));
    for (const Param& param : declaration.params) {
      if (const auto set = given.find(param.name); set != given.end()) {
        out.set(param.name, given_value(declaration, param, set->second));
      } else if (param.fallback) {
        Value value = *param.fallback;
        complete(param, value);
        out.set(param.name, std::move(value));
      } else if (param.has(VISSL_P_REQUIRED)) {
        out.set(param.name, invent(declaration, param));
      }
    }
    return out;
  }

 private:
  static Value given_value(const Declaration& declaration, const Param& param,
                           const std::string& text) {
    Value value;
    try {
      value = parse_toml_value(text, Origin::at_command_line());
    } catch (const Error&) {
      value = Value::text(text, Origin::at_command_line());
    }
    if (const auto wrong = mismatch(param, value))
      throw Error(Exit::usage,
                  declaration.kind + "/" + declaration.name + "." + param.name + " " + *wrong);
    return value;
  }

  // Defaults of the components inside of a default.
  void complete(const Param& param, Value& value) {
    if (param.element() != VISSL_P_COMPONENT) return;
    if (value.is_list()) {
      for (Value& item : value.items()) complete_component(param, item);
    } else {
      complete_component(param, value);
    }
  }
  void complete_component(const Param& param, Value& value) {
    const Value* name = value.find("name");
    const Declaration* inner =
        name != nullptr ? catalogue_.find(param.component_kind, name->as_text(), "") : nullptr;
    if (inner == nullptr) return;
    Value full = table(*inner, {});
    for (const auto& entry : value.entries()) full.set(entry.key, entry.value);
    value = std::move(full);
  }

  Value invent(const Declaration& declaration, const Param& param) {
    made_up_ = true;
    if (!param.is_list()) return element(declaration, param);
    Value list = Value::list();
    for (std::size_t i = 0; i < style_.length; ++i)
      list.items().push_back(element(declaration, param));
    return list;
  }

  Value element(const Declaration& declaration, const Param& param) {
    switch (param.element()) {
      case VISSL_P_BOOL:
        return Value::boolean(false);
      case VISSL_P_INT:
        return Value::integer(param.choices.empty() ? integer_within(param)
                                                    : std::stoll(param.choices.front()));
      case VISSL_P_NUMBER:
        return Value::number(number_within(param));
      case VISSL_P_STRING:
        if (param.has(VISSL_P_PATH)) missing_ = "a file or folder for '" + param.name + "'";
        return Value::text(param.choices.empty() ? "x" : param.choices.front());
      case VISSL_P_TABLE:
        return Value::table();
      case VISSL_P_COMPONENT:
        return simple_component(declaration, param);
      default:
        return style_.nested ? pairs() : Value::integer(style_.integer);
    }
  }

  std::int64_t integer_within(const Param& param) const {
    double x = static_cast<double>(style_.integer);
    if (std::isfinite(param.min))
      x = std::max(x, param.min + (param.has(VISSL_P_MIN_OPEN) ? 1 : 0));
    if (std::isfinite(param.max))
      x = std::min(x, param.max - (param.has(VISSL_P_MAX_OPEN) ? 1 : 0));
    return static_cast<std::int64_t>(x);
  }
  static double number_within(const Param& param) {
    const bool low = std::isfinite(param.min), high = std::isfinite(param.max);
    if (low && high) return (param.min + param.max) / 2;
    return low ? param.min + 0.5 : high ? param.max - 0.5 : 0.5;
  }
  Value pairs() const {
    Value list = Value::list();
    for (std::size_t i = 0; i < style_.length; ++i)
      list.items().push_back(Value::list({Value::number(0.25), Value::number(0.75)}));
    return list;
  }

  // Another component of the kind that needs no values of its own.
  Value simple_component(const Declaration& declaration, const Param& param) {
    for (const std::string& name : catalogue_.names(param.component_kind)) {
      if (param.component_kind == declaration.kind && name == declaration.name) continue;
      try {
        const Declaration* inner = catalogue_.find(param.component_kind, name, "");
        bool simple = inner != nullptr;
        for (const Param& p : inner != nullptr ? inner->params : std::vector<Param>())
          simple = simple && !p.has(VISSL_P_REQUIRED);
        if (simple) return table(*inner, {});
      } catch (const Error&) {
        // A neighbour that cannot be used is no fault of this plugin.
      }
    }
    missing_ = "a " + param.component_kind + " for '" + param.name + "' (--plugins DIR names a " +
               "folder that has one)";
    return Value::table();
  }

  PluginCatalogue& catalogue_;
  const Style& style_;
  bool made_up_ = false;
  std::string missing_;
};

}  // namespace

MadeConfigs make_configs(PluginCatalogue& catalogue, const Declaration& declaration,
                         const std::map<std::string, std::string>& given) {
  for (const auto& [name, text] : given)
    if (declaration.find(name) == nullptr)
      throw Error(Exit::usage, declaration.kind + "/" + declaration.name + " has no parameter '" +
                                   name + "'; 'vissl-host describe' shows what there is");
  MadeConfigs made;
  for (const Style& style : kStyles) {
    Maker maker(catalogue, style);
    Value config = maker.table(declaration, given);
    made.made_up = maker.made_up();
    made.missing = maker.missing();
    if (!made.missing.empty()) break;
    made.configs.push_back(std::move(config));
    if (!made.made_up) break;
  }
  return made;
}

}  // namespace vissl::host
