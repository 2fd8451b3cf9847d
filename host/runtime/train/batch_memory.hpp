#pragma once
// Where batches live: 64-byte aligned CPU memory.
#include "host/boundary.hpp"

namespace vissl::host {

Allocator batch_memory();

}  // namespace vissl::host
