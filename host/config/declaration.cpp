#include "host/config/declaration.hpp"

#include <algorithm>
#include <cmath>

#include "host/config/toml_text.hpp"

namespace vissl::host {
namespace {

std::string short_number(double x) {
  std::string text = inline_toml(Value::number(x));
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

// "above 0 and at most 1", "from 1 to 5"; empty without bounds.
std::string bounds(const Param& param) {
  const bool low = std::isfinite(param.min), high = std::isfinite(param.max);
  const std::string min = short_number(param.min), max = short_number(param.max);
  if (low && high && !param.has(VISSL_P_MIN_OPEN) && !param.has(VISSL_P_MAX_OPEN))
    return "from " + min + " to " + max;
  std::string out;
  if (low) out = (param.has(VISSL_P_MIN_OPEN) ? "above " : "of at least ") + min;
  if (high)
    out += (out.empty() ? "" : " and ") +
           std::string(param.has(VISSL_P_MAX_OPEN) ? "below " : "at most ") + max;
  return out;
}

std::string choices(const Param& param) {
  const std::string quote = param.element() == VISSL_P_STRING ? "'" : "";
  std::string out;
  for (const std::string& choice : param.choices)
    out += (out.empty() ? "" : ", ") + quote + choice + quote;
  return out;
}

std::string article(const std::string& kind) {
  const bool vowel = kind.find_first_of("aeio") == 0 || kind.starts_with("lr_");
  return vowel ? "an" : "a";
}

std::string element_noun(const Param& param, bool plural) {
  if (!param.choices.empty() && param.element() == VISSL_P_INT)
    return (plural ? "integers out of " : "one of ") + choices(param);
  if (!param.choices.empty()) return (plural ? "words out of " : "one of ") + choices(param);
  if (!param.accepts.empty()) return param.accepts;
  std::string noun;
  switch (param.element()) {
    case VISSL_P_BOOL:
      return plural ? "true or false values" : "true or false";
    case VISSL_P_INT:
      noun = plural ? "integers" : "an integer";
      break;
    case kIntegerOrAuto:
      noun = "\"auto\" or an integer";
      break;
    case VISSL_P_NUMBER:
      noun = plural ? "numbers" : "a number";
      break;
    case VISSL_P_STRING:
      return plural ? "strings" : "a string";
    case VISSL_P_TABLE:
      return plural ? "tables" : "a table";
    case VISSL_P_MODEL:
      return "a table like [model]";
    case VISSL_P_COMPONENT:
      return plural ? param.component_kind + " tables { name = … }"
                    : article(param.component_kind) + " " + param.component_kind +
                          " table { name = … }";
    default:
      return plural ? "values" : "a value";
  }
  const std::string range = bounds(param);
  return range.empty() ? noun : noun + " " + range;
}

bool type_fits(std::uint32_t element, Value& value) {
  using Type = Value::Type;
  switch (element) {
    case VISSL_P_BOOL:
      return value.is(Type::boolean);
    case VISSL_P_INT:
      return value.is(Type::integer);
    case kIntegerOrAuto:
      return value.is(Type::integer) || value.as_text() == "auto";
    case VISSL_P_NUMBER:
      if (value.is(Type::integer)) value = Value::number(value.as_number(), value.origin());
      return value.is(Type::number);
    case VISSL_P_STRING:
      return value.is(Type::string);
    case VISSL_P_TABLE:
    case VISSL_P_COMPONENT:
    case VISSL_P_MODEL:
      return value.is(Type::table);
    default:
      return true;
  }
}

bool in_bounds(const Param& param, const Value& value) {
  if (!value.is(Value::Type::integer) && !value.is(Value::Type::number)) return true;
  const double x = value.as_number();
  const bool low = param.has(VISSL_P_MIN_OPEN) ? x > param.min : x >= param.min;
  const bool high = param.has(VISSL_P_MAX_OPEN) ? x < param.max : x <= param.max;
  // NaN fits only where no bound is stated.
  if (std::isnan(x)) return std::isinf(param.min) && std::isinf(param.max);
  return low && high;
}

bool element_fits(const Param& param, Value& value) {
  if (!type_fits(param.element(), value)) return false;
  if (!in_bounds(param, value)) return false;
  const std::string text =
      value.is(Value::Type::integer) ? std::to_string(value.as_int()) : value.as_text();
  return param.choices.empty() ||
         std::find(param.choices.begin(), param.choices.end(), text) != param.choices.end();
}

}  // namespace

std::string expectation(const Param& param) {
  return param.is_list() ? "a list of " + element_noun(param, true) : element_noun(param, false);
}

std::optional<std::string> mismatch(const Param& param, Value& value) {
  if (!param.is_list()) {
    if (element_fits(param, value)) return std::nullopt;
    return "must be " + expectation(param) + ", not " + value.describe();
  }
  if (!value.is_list()) return "must be " + expectation(param) + ", not " + value.describe();
  for (std::size_t i = 0; i < value.items().size(); ++i) {
    Value& item = value.items()[i];
    if (!element_fits(param, item))
      return "must be " + expectation(param) + ", but element " + std::to_string(i) + " is " +
             item.describe();
  }
  return std::nullopt;
}

}  // namespace vissl::host
