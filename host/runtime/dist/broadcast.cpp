#include "host/runtime/dist/broadcast.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>

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

}  // namespace vissl::host
