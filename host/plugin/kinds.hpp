#pragma once
// The kinds of components that this host can create.
#include <cstdint>
#include <span>
#include <string_view>

namespace vissl::host {

struct Kind {
  std::string_view name;          // "loss"
  std::string_view interface_id;  // "vissl.loss/0"
  std::uint64_t table_size;       // bytes of the class table as this host knows it
};

std::span<const Kind> kinds();
const Kind* find_kind(std::string_view name);  // NULL = unknown

}  // namespace vissl::host
