// The table of vissl.collectives/1.
#include "host/runtime/dist/collectives.hpp"

#include <c10/util/StringUtil.h>
#include <torch/csrc/autograd/custom_function.h>

#include "host/files/error.hpp"
#include "host/runtime/abi/given.hpp"
#include "host/runtime/abi/guard.hpp"
#include "host/runtime/abi/handle.hpp"
#include "host/runtime/abi/tables.hpp"
#include "host/runtime/dist/agree.hpp"

namespace vissl::host {

namespace {

int64_t rank() {
  return collectives().rank();
}
int64_t world() {
  return collectives().world();
}

vissl_status all_reduce(vissl_tensor* t, uint32_t op, vissl_err* err) {
  return guarded(err, [&] {
    if (op > VISSL_REDUCE_MIN)
      throw Error(Exit::run_failed, c10::str("there is no reduction number ", op));
    at::NoGradGuard no_grad;
    at::Tensor& tensor = given(t, "all_reduce");
    agree(collectives(), Exchange::all_reduce, tensor);
    collectives().all_reduce(tensor, static_cast<Collectives::Reduce>(op));
  });
}

vissl_status all_gather(vissl_tensor* t, uint32_t with_grad, vissl_tensor** out, vissl_err* err) {
  return guarded(err, [&] {
    const at::Tensor& tensor = given(t, "all_gather");
    agree(collectives(), Exchange::all_gather, tensor);
    *out = wrap(collectives().all_gather(tensor, with_grad != 0));
  });
}

vissl_status broadcast(vissl_tensor* t, int64_t root, vissl_err* err) {
  return guarded(err, [&] {
    if (root < 0 || root >= world())
      throw Error(Exit::distributed,
                  c10::str("rank ", root, " cannot broadcast: there are ", world(), " rank(s)"));
    at::NoGradGuard no_grad;
    at::Tensor& tensor = given(t, "broadcast");
    agree(collectives(), Exchange::broadcast, tensor);
    collectives().broadcast(tensor, root);
  });
}

vissl_status all_to_all(vissl_tensor* t, const int64_t* send, const int64_t* receive,
                        vissl_tensor** out, vissl_err* err) {
  return guarded(err, [&] {
    const auto ranks = static_cast<std::size_t>(world());
    const std::span<const int64_t> sent(send, ranks), received(receive, ranks);
    const at::Tensor& tensor = given(t, "all_to_all");
    agree(collectives(), Exchange::all_to_all, tensor);
    agree_on_rows(collectives(), tensor, sent, received);
    *out = wrap(collectives().all_to_all(tensor, sent, received));
  });
}

vissl_status barrier(vissl_err* err) {
  return guarded(err, [] { collectives().barrier(); });
}

// d(sum over ranks of the losses) / d(own input) = sum over ranks of d(loss_r) / d(result).
struct ReduceWithGrad : torch::autograd::Function<ReduceWithGrad> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& t,
                            int64_t op) {
    context->saved_data["op"] = op;
    return reduced(t, op);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& grads) {
    return {reduced(grads[0], context->saved_data["op"].toInt()), at::Tensor()};
  }
  static at::Tensor reduced(const at::Tensor& t, int64_t op) {
    at::Tensor out = t.detach().clone(at::MemoryFormat::Contiguous);
    collectives().all_reduce(out, static_cast<Collectives::Reduce>(op));
    return out;
  }
};

vissl_status all_reduce_with_grad(vissl_tensor* t, uint32_t op, vissl_tensor** out,
                                  vissl_err* err) {
  return guarded(err, [&] {
    if (op > VISSL_REDUCE_MEAN)
      throw Error(Exit::run_failed, "only a sum or a mean over the ranks has a gradient here");
    const at::Tensor& tensor = given(t, "all_reduce");
    agree(collectives(), Exchange::all_reduce, tensor);
    *out = wrap(ReduceWithGrad::apply(tensor, static_cast<int64_t>(op)));
  });
}

constexpr vissl_collectives_api kTable = {
    sizeof(vissl_collectives_api),
    rank,
    world,
    all_reduce,
    all_gather,
    broadcast,
    all_to_all,
    barrier,
    all_reduce_with_grad,
};

}  // namespace

const vissl_collectives_api& collectives_api() {
  return kTable;
}

}  // namespace vissl::host
