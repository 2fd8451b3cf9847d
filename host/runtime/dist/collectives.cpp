#include "host/runtime/dist/collectives.hpp"

#include <c10/util/StringUtil.h>

#include "host/files/error.hpp"

namespace vissl::host {

namespace {

// One rank: everything is an identity.
class OneRank : public Collectives {
 public:
  int64_t rank() const override { return 0; }
  int64_t world() const override { return 1; }
  void all_reduce(at::Tensor&, Reduce) override {}
  at::Tensor all_gather(const at::Tensor& tensor, bool with_grad) override {
    const at::Tensor rows = tensor.dim() == 0 ? tensor.reshape({1}) : tensor;
    return with_grad ? rows : rows.detach();
  }
  void broadcast(at::Tensor&, int64_t) override {}
  at::Tensor all_to_all(const at::Tensor& tensor, std::span<const int64_t> send,
                        std::span<const int64_t> receive) override {
    const int64_t rows = tensor.dim() == 0 ? 0 : tensor.size(0);
    if (send.size() != 1 || receive.size() != 1 || send[0] != rows || receive[0] != rows)
      throw Error(Exit::distributed,
                  c10::str("all_to_all over one rank must send and receive all ", rows, " rows"));
    return tensor.detach();
  }
  void barrier() override {}
  Collectives& group(int64_t) override { return *this; }
  c10d::ProcessGroup* process_group() override { return nullptr; }
};

std::unique_ptr<Collectives>& current() {
  static std::unique_ptr<Collectives> implementation = one_rank();
  return implementation;
}

}  // namespace

std::unique_ptr<Collectives> one_rank() {
  return std::make_unique<OneRank>();
}

Collectives& collectives() {
  return *current();
}

void set_collectives(std::unique_ptr<Collectives> implementation) {
  current() = implementation ? std::move(implementation) : one_rank();
}

}  // namespace vissl::host
