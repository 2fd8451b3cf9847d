#pragma once
// The configuration as a tree of values. A node is what plugins see as vissl_value, so pointers to
// nodes cross the ABI as they are.
#include <vissl/value.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vissl::host {

using Value = ::vissl_value;

// Where a value comes from. `where()` is the text for messages: "exp.toml:12:5", "command line",
// "default", "inferred by loss 'swav_loss'".
class Origin {
 public:
  enum class Kind { fallback, inferred, command_line, file };

  Origin() = default;  // a default value
  static Origin at_file(const std::string& file, unsigned line, unsigned column);
  static Origin at_command_line();
  static Origin inferred_by(const std::string& component);

  Kind kind() const noexcept { return kind_; }
  bool by_user() const noexcept { return kind_ == Kind::file || kind_ == Kind::command_line; }
  const std::string& where() const noexcept { return where_; }
  const std::string& file() const noexcept {
    return file_;
  }  // as it was named; empty unless kind() is file

 private:
  Kind kind_ = Kind::fallback;
  std::string file_;
  std::string where_ = "default";
};

struct TableEntry;

}  // namespace vissl::host

// One node. Lists and tables own their children; a pointer to a child stays valid until its parent
// is changed.
struct vissl_value {
  enum class Type : unsigned { none, boolean, integer, number, string, list, table };
  using Origin = vissl::host::Origin;
  using TableEntry = vissl::host::TableEntry;

  vissl_value();  // none
  static vissl_value boolean(bool b, Origin origin = {});
  static vissl_value integer(std::int64_t i, Origin origin = {});
  static vissl_value number(double x, Origin origin = {});
  static vissl_value text(std::string s, Origin origin = {});
  static vissl_value list(std::vector<vissl_value> items = {}, Origin origin = {});
  static vissl_value table(Origin origin = {});

  Type type() const noexcept { return type_; }
  bool is(Type type) const noexcept { return type_ == type; }
  bool is_table() const noexcept { return type_ == Type::table; }
  bool is_list() const noexcept { return type_ == Type::list; }
  bool is_text() const noexcept { return type_ == Type::string; }

  // Another type than the node has gives false, 0 or an empty text. Integers are promoted by
  // as_number.
  bool as_bool() const noexcept { return type_ == Type::boolean && integer_ != 0; }
  std::int64_t as_int() const noexcept { return type_ == Type::integer ? integer_ : 0; }
  double as_number() const noexcept;
  const std::string& as_text() const noexcept { return text_; }

  const std::vector<vissl_value>& items() const noexcept { return items_; }  // of a list
  std::vector<vissl_value>& items() noexcept { return items_; }
  const std::vector<TableEntry>& entries() const noexcept;  // of a table, in the order of the file
  std::vector<TableEntry>& entries() noexcept;

  const vissl_value* find(
      std::string_view key) const noexcept;  // NULL when absent or when this is no table
  vissl_value* find(std::string_view key) noexcept;
  const TableEntry* entry(std::string_view key) const noexcept;
  // Replaces the value of `key`, or appends it. The entry's own origin becomes the value's.
  vissl_value& set(std::string_view key, vissl_value value);
  void erase(std::string_view key);

  const Origin& origin() const noexcept { return origin_; }
  void set_origin(Origin origin) { origin_ = std::move(origin); }
  void set_origin_below(const Origin& origin);  // this node and all below it

  // "a number", "the string 'high'" … for messages.
  std::string describe() const;

 private:
  Type type_ = Type::none;
  std::int64_t integer_ = 0;  // also booleans
  double number_ = 0.0;
  std::string text_;
  std::vector<vissl_value> items_;
  std::vector<TableEntry> entries_;
  Origin origin_;
};

namespace vissl::host {

struct TableEntry {
  std::string key;
  Value value;
  Origin key_origin;  // where the key stands; the value's own origin is where the value stands
};

// Equal type and content; origins and the order of keys do not count.
bool same(const Value& a, const Value& b);

// The table of service "vissl.value/1".
const vissl_value_api& value_api();

}  // namespace vissl::host
