#include "host/runtime/train/batch_memory.hpp"

#include <new>

namespace vissl::host {

Allocator batch_memory() {
  constexpr std::align_val_t kAlignment{64};
  return {[](std::size_t bytes) { return ::operator new(bytes, kAlignment); },
          [](void* memory, std::size_t) { ::operator delete(memory, kAlignment); }};
}

}  // namespace vissl::host
