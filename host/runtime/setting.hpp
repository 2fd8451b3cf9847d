#pragma once
// A view of one node of the resolved config. Cheap to copy; the tree lives until the run ends. Keys
// that the core declares are always there, so a default is never repeated here. [any]
#include <vissl/value.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vissl::host {

class Setting {
 public:
  Setting() = default;  // absent
  Setting(const vissl_value_api* api, const vissl_value* value) : api_(api), value_(value) {}

  explicit operator bool() const { return value_ != nullptr && type() != VISSL_VALUE_NONE; }
  const vissl_value* value() const { return value_; }
  const vissl_value_api* api() const { return api_; }
  std::uint32_t type() const { return value_ == nullptr ? VISSL_VALUE_NONE : api_->type(value_); }
  std::string where() const;  // "exp.toml:12:5"; empty when absent

  // The entry `key` of a table, absent when there is none or this is no table. A dotted key goes
  // down several tables.
  Setting operator[](std::string_view dotted_key) const;
  Setting at(std::size_t i) const;  // element of a list or value of a table
  std::size_t size() const;         // elements or keys; 0 for anything else
  std::string key(std::size_t i) const;

  // Values of entries; absent gives false, 0, 0.0, "" or {}.
  bool boolean(std::string_view dotted_key) const;
  std::int64_t integer(std::string_view dotted_key) const;
  double number(std::string_view dotted_key) const;
  std::string string(std::string_view dotted_key) const;
  std::vector<std::string> strings(std::string_view dotted_key) const;

  // The value of this node itself.
  bool as_bool() const { return value_ != nullptr && api_->as_bool(value_) != 0; }
  std::int64_t as_int() const { return value_ == nullptr ? 0 : api_->as_int(value_); }
  double as_number() const { return value_ == nullptr ? 0.0 : api_->as_number(value_); }
  std::string as_string() const;

 private:
  const vissl_value_api* api_ = nullptr;
  const vissl_value* value_ = nullptr;
};

}  // namespace vissl::host
