#include "host/config/value.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>
#include <utility>

#include "host/config/toml_read.hpp"
#include "host/config/toml_text.hpp"

using vissl::host::TableEntry;

namespace vissl::host {

Origin Origin::at_file(const std::string& file, unsigned line, unsigned column) {
  Origin origin;
  origin.kind_ = Kind::file;
  origin.file_ = file;
  origin.where_ = file + ":" + std::to_string(line) + ":" + std::to_string(column);
  return origin;
}

Origin Origin::at_command_line() {
  Origin origin;
  origin.kind_ = Kind::command_line;
  origin.where_ = "command line";
  return origin;
}

Origin Origin::inferred_by(const std::string& component) {
  Origin origin;
  origin.kind_ = Kind::inferred;
  origin.where_ = "inferred by " + component;
  return origin;
}

bool same(const Value& a, const Value& b) {
  if (a.type() != b.type()) return false;
  switch (a.type()) {
    case Value::Type::none:
      return true;
    case Value::Type::boolean:
      return a.as_bool() == b.as_bool();
    case Value::Type::integer:
      return a.as_int() == b.as_int();
    case Value::Type::number: {
      const double x = a.as_number(), y = b.as_number();
      return x == y || (x != x && y != y);
    }
    case Value::Type::string:
      return a.as_text() == b.as_text();
    case Value::Type::list:
      return std::equal(a.items().begin(), a.items().end(), b.items().begin(), b.items().end(),
                        same);
    case Value::Type::table:
      break;
  }
  if (a.entries().size() != b.entries().size()) return false;
  return std::all_of(a.entries().begin(), a.entries().end(), [&](const TableEntry& entry) {
    const Value* other = b.find(entry.key);
    return other != nullptr && same(entry.value, *other);
  });
}

}  // namespace vissl::host

vissl_value::vissl_value() = default;

vissl_value vissl_value::boolean(bool b, Origin origin) {
  vissl_value value;
  value.type_ = Type::boolean;
  value.integer_ = b ? 1 : 0;
  value.origin_ = std::move(origin);
  return value;
}

vissl_value vissl_value::integer(std::int64_t i, Origin origin) {
  vissl_value value;
  value.type_ = Type::integer;
  value.integer_ = i;
  value.origin_ = std::move(origin);
  return value;
}

vissl_value vissl_value::number(double x, Origin origin) {
  vissl_value value;
  value.type_ = Type::number;
  value.number_ = x;
  value.origin_ = std::move(origin);
  return value;
}

vissl_value vissl_value::text(std::string s, Origin origin) {
  vissl_value value;
  value.type_ = Type::string;
  value.text_ = std::move(s);
  value.origin_ = std::move(origin);
  return value;
}

vissl_value vissl_value::list(std::vector<vissl_value> items, Origin origin) {
  vissl_value value;
  value.type_ = Type::list;
  value.items_ = std::move(items);
  value.origin_ = std::move(origin);
  return value;
}

vissl_value vissl_value::table(Origin origin) {
  vissl_value value;
  value.type_ = Type::table;
  value.origin_ = std::move(origin);
  return value;
}

double vissl_value::as_number() const noexcept {
  if (type_ == Type::number) return number_;
  return type_ == Type::integer ? static_cast<double>(integer_) : 0.0;
}

const std::vector<TableEntry>& vissl_value::entries() const noexcept {
  return entries_;
}
std::vector<TableEntry>& vissl_value::entries() noexcept {
  return entries_;
}

const TableEntry* vissl_value::entry(std::string_view key) const noexcept {
  for (const TableEntry& candidate : entries_)
    if (candidate.key == key) return &candidate;
  return nullptr;
}

const vissl_value* vissl_value::find(std::string_view key) const noexcept {
  const TableEntry* found = entry(key);
  return found != nullptr ? &found->value : nullptr;
}

vissl_value* vissl_value::find(std::string_view key) noexcept {
  return const_cast<vissl_value*>(std::as_const(*this).find(key));
}

vissl_value& vissl_value::set(std::string_view key, vissl_value value) {
  const Origin origin = value.origin();
  for (TableEntry& candidate : entries_) {
    if (candidate.key != key) continue;
    candidate.value = std::move(value);
    candidate.key_origin = origin;
    return candidate.value;
  }
  entries_.push_back(TableEntry{std::string(key), std::move(value), origin});
  return entries_.back().value;
}

void vissl_value::erase(std::string_view key) {
  std::erase_if(entries_, [&](const TableEntry& candidate) { return candidate.key == key; });
}

void vissl_value::set_origin_below(const Origin& origin) {
  origin_ = origin;
  for (vissl_value& item : items_) item.set_origin_below(origin);
  for (TableEntry& child : entries_) {
    child.key_origin = origin;
    child.value.set_origin_below(origin);
  }
}

std::string vissl_value::describe() const {
  switch (type_) {
    case Type::none:
      return "nothing";
    case Type::boolean:
      return as_bool() ? "true" : "false";
    case Type::integer:
      return "the integer " + vissl::host::inline_toml(*this);
    case Type::number:
      return "the number " + vissl::host::inline_toml(*this);
    case Type::string:
      return "the string " + vissl::host::inline_toml(*this);
    case Type::list:
      return "a list";
    case Type::table:
      break;
  }
  return "a table";
}

namespace vissl::host {
namespace {

vissl_str view(const std::string& text) {
  return {text.data(), text.size()};
}

constexpr std::uint32_t kTypes[] = {VISSL_VALUE_NONE,   VISSL_VALUE_BOOL,   VISSL_VALUE_INT,
                                    VISSL_VALUE_NUMBER, VISSL_VALUE_STRING, VISSL_VALUE_LIST,
                                    VISSL_VALUE_TABLE};

std::uint32_t type(const Value* v) {
  return v == nullptr ? VISSL_VALUE_NONE : kTypes[static_cast<unsigned>(v->type())];
}
std::int32_t as_bool(const Value* v) {
  return v != nullptr && v->as_bool() ? 1 : 0;
}
std::int64_t as_int(const Value* v) {
  return v != nullptr ? v->as_int() : 0;
}
double as_number(const Value* v) {
  return v != nullptr ? v->as_number() : 0.0;
}
vissl_str as_string(const Value* v) {
  return v != nullptr ? view(v->as_text()) : vissl_str{nullptr, 0};
}

std::uint64_t count(const Value* v) {
  if (v == nullptr) return 0;
  return v->is_table() ? v->entries().size() : v->items().size();
}

const Value* at(const Value* v, std::uint64_t i) {
  if (i >= count(v)) return nullptr;
  return v->is_table() ? &v->entries()[i].value : &v->items()[i];
}

vissl_str key_at(const Value* v, std::uint64_t i) {
  if (v == nullptr || i >= v->entries().size()) return {nullptr, 0};
  return view(v->entries()[i].key);
}

const Value* find(const Value* v, vissl_str key) {
  if (v == nullptr || (key.data == nullptr && key.size != 0)) return nullptr;
  return v->find(std::string_view(key.data, key.size));
}

vissl_str where(const Value* v) {
  return v != nullptr ? view(v->origin().where()) : vissl_str{nullptr, 0};
}

vissl_status parse(vissl_str toml, const vissl_value** out, vissl_err* err) {
  const auto refuse = [&](const char* text) {
    if (err != nullptr && err->set != nullptr)
      err->set(err, VISSL_E_PLUGIN, {text, std::strlen(text)});
    return VISSL_E_PLUGIN;
  };
  // Reachable until the process ends, as the config itself is.
  static std::mutex mutex;
  static auto* const kept = new std::vector<std::unique_ptr<Value>>();
  try {
    auto tree = std::make_unique<Value>(
        parse_toml({toml.data != nullptr ? toml.data : "", static_cast<std::size_t>(toml.size)},
                   "a plugin's text"));
    const std::lock_guard lock(mutex);
    *out = kept->emplace_back(std::move(tree)).get();
    return VISSL_OK;
  } catch (const std::exception& error) {
    return refuse(error.what());
  }
}

}  // namespace

const vissl_value_api& value_api() {
  static constexpr vissl_value_api api = {sizeof(vissl_value_api),
                                          type,
                                          as_bool,
                                          as_int,
                                          as_number,
                                          as_string,
                                          count,
                                          at,
                                          key_at,
                                          find,
                                          where,
                                          parse};
  return api;
}

}  // namespace vissl::host
