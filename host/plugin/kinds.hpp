#pragma once
// The kinds of components that this host can create.
#include <vissl/value.h>

#include <cstdint>
#include <span>
#include <string_view>

namespace vissl::host {

struct Kind {
  std::string_view name;          // "loss"
  std::string_view interface_id;  // "vissl.loss/1"
  std::uint64_t
      least_size;  // bytes of the class table in the first release: a shorter one is refused
  std::uint64_t table_size;  // bytes of the class table as this host knows it
};

// How every class table begins, whatever the kind.
struct ClassHead {
  std::uint64_t size;
  vissl_status (*create)(const vissl_value* config, void** instance, vissl_err* err);
  void (*destroy)(void* instance);
};

std::span<const Kind> kinds();
const Kind* find_kind(std::string_view name);  // NULL = unknown
// What a component may offer beyond its kind, by interface id: "vissl.events/1". NULL = unknown.
const Kind* find_extension(std::string_view id);

// A class table (or extension table) of at least `whole` bytes: `table` itself, or a copy that
// lives until the process ends, filled up with zeros, which stand for "not offered". So a plugin of
// an older release works, and the host asks for no field's presence. [any]
const void* whole_table(const void* table, std::uint64_t whole);

}  // namespace vissl::host
