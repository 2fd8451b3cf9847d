#pragma once
// Reading the configuration. The host has checked names, types, bounds and defaults against the
// declarations (params.hpp) before `create`, so a constructor reads values and nothing else:
//
//   explicit Blur(const Config& c) : p_(c.number("p")), sizes_(c.integers("sizes")) {}
//
// Asking for a key that is absent or has another type throws Failure (VISSL_E_CONFIG) that names
// file, line and key.
#include <vissl/value.h>
#include <vissl/service.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

// A node of the resolved config: a view that is cheap to copy. Nodes live until the run ends. [any]
class Config {
 public:
  explicit Config(const vissl_value* node) : node_(node) {}

  const vissl_value* handle() const noexcept { return node_; }
  // A tree of the plugin's own from a TOML document: Config::parse("trunk.drop_path_rate = 0.0").
  static Config parse(std::string_view toml) {
    const vissl_value* out = nullptr;
    call(api().parse, str(toml), &out);
    return Config(out);
  }
  // "exp.toml:12:5", "command line", "default".
  std::string where() const { return std::string(view(api().where(node_))); }

  // The node itself.
  bool is_boolean() const { return type() == VISSL_VALUE_BOOL; }
  bool is_integer() const { return type() == VISSL_VALUE_INT; }
  bool is_number() const { return is_integer() || type() == VISSL_VALUE_NUMBER; }
  bool is_string() const { return type() == VISSL_VALUE_STRING; }
  bool is_list() const { return type() == VISSL_VALUE_LIST; }
  bool is_table() const { return type() == VISSL_VALUE_TABLE; }
  bool boolean() const { return expect(is_boolean(), "true or false").read_bool(); }
  std::int64_t integer() const { return api().as_int(expect(is_integer(), "an integer").node_); }
  double number() const { return api().as_number(expect(is_number(), "a number").node_); }
  std::string string() const {
    return std::string(view(api().as_string(expect(is_string(), "a string").node_)));
  }
  std::vector<Config> list() const {
    expect(is_list(), "a list");
    std::vector<Config> items;
    const std::uint64_t count = api().count(node_);
    items.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count; ++i) items.emplace_back(api().at(node_, i));
    return items;
  }
  std::vector<double> numbers() const { return each(&Config::number); }
  std::vector<std::int64_t> integers() const { return each(&Config::integer); }
  std::vector<std::string> strings() const { return each(&Config::string); }
  std::vector<bool> booleans() const {
    std::vector<bool> values;
    for (const Config& item : list()) values.push_back(item.boolean());
    return values;
  }

  // Elements of a list, or entries of a table in the order of the file.
  std::uint64_t size() const { return api().count(node_); }
  Config at(std::uint64_t i) const {
    const vissl_value* item = api().at(node_, i);
    if (item == nullptr)
      fail(VISSL_E_CONFIG, where() + ": there is no element " + std::to_string(i));
    return Config(item);
  }
  std::string key(std::uint64_t i) const { return std::string(view(api().key_at(node_, i))); }

  // Entries of a table.
  bool has(std::string_view key) const { return find(key).has_value(); }
  std::optional<Config> find(std::string_view key) const {
    const vissl_value* item = api().find(node_, str(key));
    if (item == nullptr || api().type(item) == VISSL_VALUE_NONE) return std::nullopt;
    return Config(item);
  }
  Config at(std::string_view key) const {
    const std::optional<Config> item = find(key);
    if (!item) fail(VISSL_E_CONFIG, where() + ": '" + std::string(key) + "' is missing");
    return *item;
  }
  bool boolean(std::string_view key) const { return read(key, &Config::boolean); }
  std::int64_t integer(std::string_view key) const { return read(key, &Config::integer); }
  double number(std::string_view key) const { return read(key, &Config::number); }
  std::string string(std::string_view key) const { return read(key, &Config::string); }
  std::vector<bool> booleans(std::string_view key) const { return read(key, &Config::booleans); }
  std::vector<double> numbers(std::string_view key) const { return read(key, &Config::numbers); }
  std::vector<std::int64_t> integers(std::string_view key) const {
    return read(key, &Config::integers);
  }
  std::vector<std::string> strings(std::string_view key) const {
    return read(key, &Config::strings);
  }
  // A list of anything: tables of components, lists of lists.
  std::vector<Config> list(std::string_view key) const { return Config(at(key).node_, key).list(); }
  Config table(std::string_view key) const {
    const Config item(at(key).node_, key);
    item.expect(item.is_table(), "a table");
    return Config(item.node_);
  }

 private:
  Config(const vissl_value* node, std::string_view key) : node_(node), key_(key) {}
  static const vissl_value_api& api() { return service<vissl_value_api>(VISSL_VALUE_ID); }
  std::uint32_t type() const { return api().type(node_); }
  bool read_bool() const { return api().as_bool(node_) != 0; }

  const Config& expect(bool right, const char* wanted) const {
    if (!right) {
      const std::string name = key_.empty() ? "the value" : "'" + std::string(key_) + "'";
      fail(VISSL_E_CONFIG, where() + ": " + name + " must be " + wanted + ", not " + met());
    }
    return *this;
  }
  const char* met() const {
    switch (type()) {
      case VISSL_VALUE_BOOL:
        return "true or false";
      case VISSL_VALUE_INT:
        return "an integer";
      case VISSL_VALUE_NUMBER:
        return "a number with a fraction";
      case VISSL_VALUE_STRING:
        return "a string";
      case VISSL_VALUE_LIST:
        return "a list";
      case VISSL_VALUE_TABLE:
        return "a table";
      default:
        return "nothing";
    }
  }
  template <class T>
  T read(std::string_view key, T (Config::*as)() const) const {
    return (Config(at(key).node_, key).*as)();
  }
  template <class T>
  std::vector<T> each(T (Config::*as)() const) const {
    std::vector<T> values;
    for (const Config& item : list()) values.push_back((Config(item.node_, key_).*as)());
    return values;
  }

  const vissl_value* node_;
  std::string_view key_;  // names the node in messages; set only while a reader above runs
};

}  // namespace abi1
}  // namespace vissl
