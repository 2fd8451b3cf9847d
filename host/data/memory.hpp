#pragma once
#include <new>

#include "host/boundary.hpp"

namespace vissl::host {

// Batches in ordinary memory, for commands that compute nothing with them.
inline Allocator plain_memory() {
  constexpr std::align_val_t kAlignment{64};
  return {[](std::size_t bytes) { return ::operator new(bytes, kAlignment); },
          [](void* memory, std::size_t) { ::operator delete(memory, kAlignment); }};
}

}  // namespace vissl::host
