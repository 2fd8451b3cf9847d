#pragma once
// What ranks bring to an exchange that a plugin asks for, compared before it. gloo takes every
// rank's word: unequal amounts leave rows unwritten, or end the process from a thread of its own.
#include <cstdint>
#include <span>

#include "host/runtime/dist/collectives.hpp"

namespace vissl::host {

enum class Exchange : std::int64_t { all_reduce, all_gather, broadcast, all_to_all };

// Throws Error(bad_plugin), the same on all ranks, unless all make this exchange with as many
// values of one type; all_to_all: with rows of one size. One small exchange of its own; none for
// tensors on a GPU, whose exchanges nobody waits for. [main]
void agree(Collectives& ranks, Exchange exchange, const at::Tensor& tensor);

// And unless each rank gets as many rows from each other as that one sends. Both have a number for
// each rank.
void agree_on_rows(Collectives& ranks, const at::Tensor& tensor, std::span<const int64_t> send,
                   std::span<const int64_t> receive);

}  // namespace vissl::host
