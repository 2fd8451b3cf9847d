#pragma once
// Communication between the ranks. Every rank makes the same calls in the same order; with one rank
// all are identities. [main]
#include <vissl/collectives.h>
#include <vissl/tensor.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

enum class Reduce : std::uint32_t {
  sum = VISSL_REDUCE_SUM,
  mean = VISSL_REDUCE_MEAN,
  max = VISSL_REDUCE_MAX,
  min = VISSL_REDUCE_MIN,
};

class Collectives {
 public:
  std::int64_t rank() const { return api().rank(); }
  std::int64_t world() const { return api().world(); }

  // In place; no gradient.
  void all_reduce(const Tensor& t, Reduce op = Reduce::sum) const {
    call(api().all_reduce, t.handle(), static_cast<std::uint32_t>(op));
  }
  // (N, …) -> (world * N, …), rank-major; equal shapes on all ranks. No gradient.
  Tensor all_gather(const Tensor& t) const { return gather(t, 0); }
  // The same; the backward sums the gathered gradients over the ranks and returns this rank's rows.
  Tensor all_gather_with_grad(const Tensor& t) const { return gather(t, 1); }
  // Sum or mean as a new tensor; the backward does the same with the gradients.
  Tensor all_reduce_with_grad(const Tensor& t, Reduce op = Reduce::sum) const {
    vissl_tensor* out = nullptr;
    call(api().all_reduce_with_grad, t.handle(), static_cast<std::uint32_t>(op), &out);
    return Tensor::own(out);
  }
  // The rows of all ranks, (sum of N_r, …), rank-major, where N may differ; other sizes are equal.
  // No gradient.
  Tensor all_gather_rows(const Tensor& t) const {
    const Tensor count = Tensor::of<std::int64_t>({t.size(0)}, {1});
    const std::vector<std::int64_t> counts = all_gather(moved(count, t)).to_vector<std::int64_t>();
    const std::int64_t most = *std::max_element(counts.begin(), counts.end());
    std::vector<std::int64_t> shape = t.sizes();
    shape[0] = most - t.size(0);
    const Tensor padded = shape[0] > 0 ? cat({t, zeros(shape, Options(t.dtype(), t.device()))}) : t;
    const Tensor all = all_gather(padded);
    std::vector<Tensor> parts;
    for (std::size_t r = 0; r < counts.size(); ++r)
      parts.push_back(all.narrow(0, static_cast<std::int64_t>(r) * most, counts[r]));
    return cat(parts);
  }
  // Every rank gets root's bytes, whatever their number. `like`: any tensor on the model's device.
  std::string broadcast_bytes(const std::string& bytes, const Tensor& like,
                              std::int64_t root = 0) const {
    const Tensor size =
        moved(Tensor::of<std::int64_t>({static_cast<std::int64_t>(bytes.size())}, {1}), like);
    broadcast(size, root);
    const auto count = static_cast<std::size_t>(size.item<std::int64_t>());
    std::vector<std::uint8_t> content(count);
    if (rank() == root) std::copy(bytes.begin(), bytes.end(), content.begin());
    const Tensor data =
        moved(Tensor::of<std::uint8_t>(content, {static_cast<std::int64_t>(count)}), like);
    broadcast(data, root);
    content = data.to_vector<std::uint8_t>();
    return std::string(content.begin(), content.end());
  }
  // In place: every rank gets root's values.
  void broadcast(const Tensor& t, std::int64_t root = 0) const {
    call(api().broadcast, t.handle(), root);
  }
  // Rows: send[j] rows of `t` go to rank j in order, receive[j] rows come from rank j. No gradient.
  Tensor all_to_all(const Tensor& t, const std::vector<std::int64_t>& send,
                    const std::vector<std::int64_t>& receive) const {
    const std::size_t ranks = static_cast<std::size_t>(world());
    if (send.size() != ranks || receive.size() != ranks) fail("all_to_all needs one size per rank");
    vissl_tensor* out = nullptr;
    call(api().all_to_all, t.handle(), send.data(), receive.data(), &out);
    return Tensor::own(out);
  }
  void barrier() const { call(api().barrier); }

 private:
  static const vissl_collectives_api& api() {
    return service<vissl_collectives_api>(VISSL_COLLECTIVES_ID);
  }
  // `x` on the device of `like`.
  static Tensor moved(const Tensor& x, const Tensor& like) {
    return x.to(zeros(1, Options(x.dtype(), like.device())));
  }
  static Tensor gather(const Tensor& t, std::uint32_t with_grad) {
    vissl_tensor* out = nullptr;
    call(api().all_gather, t.handle(), with_grad, &out);
    return Tensor::own(out);
  }
};

}  // namespace abi1
}  // namespace vissl
