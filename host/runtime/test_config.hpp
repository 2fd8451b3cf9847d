#pragma once
// Test support: a config tree made of JSON text, read through vissl.value/1.
#include <vissl/value.h>

#include <nlohmann/json.hpp>
#include <string>

#include "host/runtime/abi/handle.hpp"
#include "host/runtime/setting.hpp"

namespace vissl::host::test {

using Json = nlohmann::ordered_json;

inline const Json& json_of(const vissl_value* v) {
  return *reinterpret_cast<const Json*>(v);
}
inline const vissl_value* value_of(const Json& json) {
  return reinterpret_cast<const vissl_value*>(&json);
}

// Every node says "exp.toml:1:1" as its place.
inline const vissl_value_api& json_value_api() {
  static const vissl_value_api api = {
      sizeof(vissl_value_api),
      [](const vissl_value* v) -> uint32_t {
        const Json& j = json_of(v);
        if (j.is_boolean()) return VISSL_VALUE_BOOL;
        if (j.is_number_integer()) return VISSL_VALUE_INT;
        if (j.is_number()) return VISSL_VALUE_NUMBER;
        if (j.is_string()) return VISSL_VALUE_STRING;
        if (j.is_array()) return VISSL_VALUE_LIST;
        return j.is_object() ? VISSL_VALUE_TABLE : VISSL_VALUE_NONE;
      },
      [](const vissl_value* v) -> int32_t {
        return json_of(v).is_boolean() && json_of(v).get<bool>();
      },
      [](const vissl_value* v) -> int64_t {
        return json_of(v).is_number_integer() ? json_of(v).get<int64_t>() : 0;
      },
      [](const vissl_value* v) -> double {
        return json_of(v).is_number() ? json_of(v).get<double>() : 0.0;
      },
      [](const vissl_value* v) -> vissl_str {
        return json_of(v).is_string() ? str(json_of(v).get_ref<const std::string&>())
                                      : vissl_str{nullptr, 0};
      },
      [](const vissl_value* v) -> uint64_t {
        return json_of(v).is_structured() ? json_of(v).size() : 0;
      },
      [](const vissl_value* v, uint64_t i) -> const vissl_value* {
        const Json& j = json_of(v);
        if (!j.is_structured() || i >= j.size()) return nullptr;
        return value_of(*std::next(j.begin(), static_cast<std::ptrdiff_t>(i)));
      },
      [](const vissl_value* v, uint64_t i) -> vissl_str {
        const Json& j = json_of(v);
        if (!j.is_object() || i >= j.size()) return {nullptr, 0};
        return str(std::next(j.begin(), static_cast<std::ptrdiff_t>(i)).key());
      },
      [](const vissl_value* v, vissl_str key) -> const vissl_value* {
        const Json& j = json_of(v);
        const auto found = j.is_object() ? j.find(text(key)) : j.end();
        return found == j.end() ? nullptr : value_of(*found);
      },
      [](const vissl_value*) -> vissl_str { return str("exp.toml:1:1"); },
      nullptr,  // trees of a plugin's own are not made here
  };
  return api;
}

inline Setting setting(const Json& json) {
  return {&json_value_api(), value_of(json)};
}

}  // namespace vissl::host::test
