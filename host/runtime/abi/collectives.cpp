// The table of vissl.collectives/0.
#include "host/runtime/dist/collectives.hpp"

#include <c10/util/StringUtil.h>

#include "host/files/error.hpp"
#include "host/runtime/abi/guard.hpp"
#include "host/runtime/abi/handle.hpp"
#include "host/runtime/abi/tables.hpp"

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
    collectives().all_reduce(unwrap(t), static_cast<Collectives::Reduce>(op));
  });
}

vissl_status all_gather(vissl_tensor* t, uint32_t with_grad, vissl_tensor** out, vissl_err* err) {
  return guarded(err, [&] { *out = wrap(collectives().all_gather(unwrap(t), with_grad != 0)); });
}

vissl_status broadcast(vissl_tensor* t, int64_t root, vissl_err* err) {
  return guarded(err, [&] {
    if (root < 0 || root >= world())
      throw Error(Exit::distributed,
                  c10::str("rank ", root, " cannot broadcast: there are ", world(), " rank(s)"));
    at::NoGradGuard no_grad;
    collectives().broadcast(unwrap(t), root);
  });
}

vissl_status all_to_all(vissl_tensor* t, const int64_t* send, const int64_t* receive,
                        vissl_tensor** out, vissl_err* err) {
  return guarded(err, [&] {
    const auto ranks = static_cast<std::size_t>(world());
    *out = wrap(collectives().all_to_all(unwrap(t), {send, ranks}, {receive, ranks}));
  });
}

vissl_status barrier(vissl_err* err) {
  return guarded(err, [] { collectives().barrier(); });
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
};

}  // namespace

const vissl_collectives_api& collectives_api() {
  return kTable;
}

}  // namespace vissl::host
