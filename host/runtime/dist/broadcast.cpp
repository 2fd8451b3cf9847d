#include "host/runtime/dist/broadcast.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

namespace vissl::host {

namespace {

constexpr int64_t kMessageBytes = 25 << 20;

}  // namespace

std::vector<std::vector<at::Tensor>> pieces_of(const std::vector<at::Tensor>& tensors,
                                               int64_t bytes) {
  std::vector<std::vector<at::Tensor>> pieces;
  int64_t size = 0;
  for (const at::Tensor& tensor : tensors) {
    const auto own = static_cast<int64_t>(tensor.nbytes());
    if (pieces.empty() || pieces.back().front().scalar_type() != tensor.scalar_type() ||
        size + own > bytes) {
      pieces.emplace_back();
      size = 0;
    }
    pieces.back().push_back(tensor);
    size += own;
  }
  return pieces;
}

void broadcast_values(Collectives& ranks, const std::vector<at::Tensor>& tensors, int64_t root) {
  if (ranks.world() == 1) return;
  const at::NoGradGuard no_grad;
  for (const auto& piece : pieces_of(tensors, kMessageBytes))
    as_one(piece, [&](at::Tensor& joined) { ranks.broadcast(joined, root); });
}

std::string broadcast_text(Collectives& ranks, std::string text, int64_t root) {
  auto size = static_cast<int64_t>(text.size());
  at::Tensor length = at::from_blob(&size, {1}, at::kLong);
  ranks.broadcast(length, root);
  text.resize(static_cast<std::size_t>(size));
  at::Tensor bytes = at::from_blob(text.data(), {size}, at::kByte);
  ranks.broadcast(bytes, root);
  return text;
}

std::vector<std::string> gather_texts(Collectives& ranks, const std::string& own) {
  const at::NoGradGuard no_grad;
  const auto size = static_cast<int64_t>(own.size());
  const at::Tensor sizes = ranks.all_gather(at::full({1}, size, at::kLong), false);
  const int64_t widest = sizes.max().item<int64_t>();
  std::vector<std::string> texts(static_cast<std::size_t>(ranks.world()));
  if (widest == 0) return texts;
  const at::Tensor row = at::zeros({1, widest}, at::kByte);
  std::copy(own.begin(), own.end(), static_cast<char*>(row.data_ptr()));
  const at::Tensor rows = ranks.all_gather(row, false);
  for (int64_t rank = 0; rank < ranks.world(); ++rank)
    texts[static_cast<std::size_t>(rank)].assign(
        static_cast<const char*>(rows.const_data_ptr()) + rank * widest,
        static_cast<std::size_t>(sizes[rank].item<int64_t>()));
  return texts;
}

}  // namespace vissl::host
