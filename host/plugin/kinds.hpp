#pragma once
// The kinds of components that this host can create.
#include <vissl/value.h>

#include <cstdint>
#include <span>
#include <string_view>

namespace vissl::host {

struct Kind {
  std::string_view name;          // "loss"
  std::string_view interface_id;  // "vissl.loss/0"
  std::uint64_t table_size;       // bytes of the class table as this host knows it
};

// How every class table begins, whatever the kind.
struct ClassHead {
  std::uint64_t size;
  vissl_status (*create)(const vissl_value* config, void** instance, vissl_err* err);
  void (*destroy)(void* instance);
};

std::span<const Kind> kinds();
const Kind* find_kind(std::string_view name);  // NULL = unknown

}  // namespace vissl::host
