#pragma once
// Communication between ranks as the rest of the runtime sees it. Every rank makes the same calls
// in the same order. `collectives()` is the one-rank implementation until a distributed start-up
// sets another. A call that fails throws Error(distributed). [main]
#include <ATen/core/Tensor.h>

#include <compare>
#include <cstdint>
#include <memory>
#include <span>

namespace c10d {
class ProcessGroup;
}

namespace vissl::host {

class Collectives {
 public:
  enum class Reduce : std::uint32_t { sum = 0, mean = 1, max = 2, min = 3 };

  virtual ~Collectives() = default;
  virtual int64_t rank() const = 0;
  virtual int64_t world() const = 0;
  virtual void all_reduce(at::Tensor& tensor, Reduce op) = 0;  // in place, no gradient
  virtual at::Tensor all_gather(const at::Tensor& tensor,
                                bool with_grad) = 0;  // (N, …) -> (world * N, …), rank-major
  virtual void broadcast(at::Tensor& tensor, int64_t root) = 0;  // in place
  // Rank r sends rows [sum(send[:j]), …) to rank j; the result holds the received rows in rank
  // order.
  virtual at::Tensor all_to_all(const at::Tensor& tensor, std::span<const int64_t> send,
                                std::span<const int64_t> receive) = 0;
  virtual void barrier() = 0;
  // The block of `ranks` consecutive ranks that this one belongs to; the last block may be smaller.
  // The first call with a number is made by all ranks together. Lives as long as this object.
  virtual Collectives& group(int64_t ranks) = 0;
  // What libtorch's own reducer works on; NULL with one rank.
  virtual c10d::ProcessGroup* process_group() = 0;

  // How many exchanges this rank has come to, the reducer's among them. The smallest number is that
  // of the rank for which the others wait; groups only count between ranks that are equal in `all`.
  struct Begun {
    std::uint64_t all = 0, in_groups = 0;
    auto operator<=>(const Begun&) const = default;
  };
  virtual Begun begun() const { return {}; }  // [any thread]
};

std::unique_ptr<Collectives> one_rank();

Collectives& collectives();
// Takes effect for all later calls; NULL brings the one-rank implementation back.
void set_collectives(std::unique_ptr<Collectives> implementation);

}  // namespace vissl::host
