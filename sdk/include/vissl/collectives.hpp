#pragma once
// Communication between the ranks. Every rank makes the same calls in the same order; with one rank
// all are identities. [main]
#include <vissl/collectives.h>
#include <vissl/tensor.hpp>

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
  static Tensor gather(const Tensor& t, std::uint32_t with_grad) {
    vissl_tensor* out = nullptr;
    call(api().all_gather, t.handle(), with_grad, &out);
    return Tensor::own(out);
  }
};

}  // namespace abi1
}  // namespace vissl
