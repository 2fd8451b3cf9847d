#include "host/runtime/dist/gradient_sync.hpp"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <torch/csrc/distributed/c10d/reducer.hpp>

#include "host/runtime/dist/broadcast.hpp"

namespace vissl::host {

namespace {

template <class Wanted>
void share(Collectives& ranks, const Store& store, Wanted&& wanted) {
  if (ranks.world() == 1) return;
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> tensors;
  for (const auto& entry : store.entries())
    if (wanted(*entry)) tensors.push_back(entry->tensor);
  std::ranges::stable_sort(tensors, {}, [](const at::Tensor& t) { return t.scalar_type(); });
  broadcast_values(ranks, tensors, 0);
}

}  // namespace

void share_values(Collectives& ranks, const Store& store) {
  share(ranks, store, [](const Entry& e) { return e.parameter || e.replicated(); });
}

void share_buffers(Collectives& ranks, const Store& store) {
  share(ranks, store, [](const Entry& e) { return !e.parameter && e.replicated(); });
}

class GradientSync::Reducer {
 public:
  Reducer(Collectives& ranks, const std::vector<at::Tensor>& parameters, std::int64_t bucket_bytes)
      : reducer_(parameters, buckets_of(parameters, bucket_bytes),
                 c10::intrusive_ptr<c10d::ProcessGroup>::reclaim_copy(ranks.process_group()),
                 std::vector<bool>(parameters.size(), false), bucket_bytes,
                 /*find_unused_parameters=*/true, /*gradient_as_bucket_view=*/false, {},
                 std::min<std::int64_t>(bucket_bytes, c10d::kDefaultFirstBucketBytes),
                 /*skip_all_reduce_unused_params=*/false, /*use_python_reducer=*/false, {}) {}

  c10d::Reducer& operator*() { return reducer_; }

 private:
  // As torch's DistributedDataParallel: gradients come in about the reverse of the parameters'
  // order, so the last parameters are in the bucket that goes first.
  static std::vector<std::vector<std::size_t>> buckets_of(const std::vector<at::Tensor>& parameters,
                                                          std::int64_t bytes) {
    const auto cap = static_cast<std::size_t>(bytes);
    const std::size_t first = std::min<std::size_t>(cap, c10d::kDefaultFirstBucketBytes);
    auto buckets = std::get<0>(c10d::compute_bucket_assignment_by_size(parameters, {first, cap}));
    std::reverse(buckets.begin(), buckets.end());
    return buckets;
  }

  c10d::Reducer reducer_;
};

GradientSync::GradientSync(Collectives& ranks, const std::vector<Entry*>& parameters, Way way,
                           std::int64_t bucket_bytes)
    : ranks_(ranks), bucket_bytes_(bucket_bytes) {
  for (const Entry* e : parameters)
    if (e->trainable()) parameters_.push_back(e->tensor);
  if (ranks_.world() > 1 && way == Way::overlapped && !parameters_.empty())
    reducer_ = std::make_unique<Reducer>(ranks_, parameters_, bucket_bytes_);
}

GradientSync::~GradientSync() = default;

void GradientSync::prepare(const at::Tensor& loss) {
  if (reducer_) (**reducer_).prepare_for_backward({loss});
}

void GradientSync::finish() {
  if (ranks_.world() > 1 && !reducer_) reduce_now();
}

void GradientSync::reduce_now() {
  const at::NoGradGuard no_grad;
  const auto count = static_cast<std::int64_t>(parameters_.size());
  at::Tensor used = at::zeros({count}, at::kInt);
  for (std::int64_t i = 0; i < count; ++i)
    if (parameters_[static_cast<std::size_t>(i)].grad().defined()) used[i] = 1;
  ranks_.all_reduce(used, Collectives::Reduce::max);
  std::vector<at::Tensor> grads;
  for (std::int64_t i = count - 1; i >= 0; --i) {
    if (used[i].item<int>() == 0) continue;
    at::Tensor& grad = parameters_[static_cast<std::size_t>(i)].mutable_grad();
    if (!grad.defined()) grad = at::zeros_like(parameters_[static_cast<std::size_t>(i)]);
    grads.push_back(grad);
  }
  for (const auto& piece : pieces_of(grads, bucket_bytes_))
    as_one(piece,
           [&](at::Tensor& joined) { ranks_.all_reduce(joined, Collectives::Reduce::mean); });
}

}  // namespace vissl::host
