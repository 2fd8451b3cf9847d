#pragma once
// One rank's values and texts for all. Every rank makes the same calls. [main]
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>

#include <cstdint>
#include <string>
#include <vector>

#include "host/runtime/dist/collectives.hpp"

namespace vissl::host {

// Gives all ranks the values that `root` has, in place, by few messages; equal types and shapes on
// all ranks.
void broadcast_values(Collectives& ranks, const std::vector<at::Tensor>& tensors, int64_t root);

// The text that `root` was given, on all ranks.
std::string broadcast_text(Collectives& ranks, std::string text, int64_t root);

// The texts of all ranks, in their order, on all ranks.
std::vector<std::string> gather_texts(Collectives& ranks, const std::string& own);

// Consecutive tensors of one type, of up to `bytes` together, in the given order.
std::vector<std::vector<at::Tensor>> pieces_of(const std::vector<at::Tensor>& tensors,
                                               int64_t bytes);

// Calls `exchange` with the tensors' values as one row, and copies what it made of them back.
template <class Exchange>
void as_one(const std::vector<at::Tensor>& tensors, Exchange&& exchange) {
  std::vector<at::Tensor> rows;
  for (const at::Tensor& tensor : tensors) rows.push_back(tensor.detach().reshape({-1}));
  at::Tensor joined = at::cat(rows);
  exchange(joined);
  int64_t at = 0;
  for (const at::Tensor& tensor : tensors) {
    tensor.detach().copy_(joined.narrow(0, at, tensor.numel()).view(tensor.sizes()));
    at += tensor.numel();
  }
}

}  // namespace vissl::host
