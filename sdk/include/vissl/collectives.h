/* vissl.collectives/1: communication between the ranks. Every rank must make the same calls in the same order. With one rank all are
 * identities. [main] */
#ifndef VISSL_COLLECTIVES_H
#define VISSL_COLLECTIVES_H
#include <vissl/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_COLLECTIVES_ID "vissl.collectives/1"

#define VISSL_REDUCE_SUM 0u
#define VISSL_REDUCE_MEAN 1u
#define VISSL_REDUCE_MAX 2u
#define VISSL_REDUCE_MIN 3u

typedef struct vissl_collectives_api {
  uint64_t size;
  int64_t (*rank)(void);
  int64_t (*world)(void);
  /* In place on `t`; no gradient. */
  vissl_status (*all_reduce)(vissl_tensor* t, uint32_t op, vissl_err* err);
  /* (N, …) -> (world·N, …), rank-major; equal shapes on all ranks. With `with_grad` the backward sums the gathered gradients over the
   * ranks and returns this rank's slice. */
  vissl_status (*all_gather)(vissl_tensor* t, uint32_t with_grad, vissl_tensor** out, vissl_err* err);
  vissl_status (*broadcast)(vissl_tensor* t, int64_t root, vissl_err* err); /* in place */
  /* Row blocks: rank r sends rows [sum(send[:j]), …) to rank j. Sizes are per rank. No gradient. */
  vissl_status (*all_to_all)(vissl_tensor* t, const int64_t* send, const int64_t* receive, vissl_tensor** out, vissl_err* err);
  vissl_status (*barrier)(vissl_err* err);
  /* The sum (or mean) over the ranks as a new tensor, with gradient: each rank gets the sum (mean) over the ranks of the gradients
   * with respect to the result, as torch.distributed.nn does. For statistics of the joined batch. */
  vissl_status (*all_reduce_with_grad)(vissl_tensor* t, uint32_t op, vissl_tensor** out, vissl_err* err);
} vissl_collectives_api;

#ifdef __cplusplus
}
#endif
#endif
