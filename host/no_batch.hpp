#pragma once
// What every command says of a split whose samples make no batch.
#include "host/boundary.hpp"

namespace vissl::host {

// Throws Error(usage) when a pass over the split would have no batch, because a batch is larger
// than the split.
inline void require_a_batch(DataEngine& data, const PhaseSpec& spec) {
  if (data.batch_count(spec) > 0) return;
  throw Error(Exit::usage, "[data." + spec.split + "] has " +
                               std::to_string(data.length(spec.split)) +
                               " samples, which make no batch of " +
                               std::to_string(data.batch_size(spec.split)) +
                               " with drop_last; lower batchsize_per_replica");
}

}  // namespace vissl::host
