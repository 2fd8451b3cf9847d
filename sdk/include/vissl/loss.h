/* Kind loss, interface "vissl.loss/1". Buffers (queues, banks, prototypes) live in the store scope "loss"; twins, queues' updates and
 * other work between the parts of a step belong to the loss's own events (events.h). [main] */
#ifndef VISSL_LOSS_H
#define VISSL_LOSS_H
#include <vissl/run.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_LOSS_ID "vissl.loss/1"

/* How the loss of W ranks relates to the loss of one rank with the joined batch. */
#define VISSL_REDUCTION_MEAN_OVER_WORLD 0u /* mean of the ranks' losses */
#define VISSL_REDUCTION_JOINED 1u          /* each rank computes its rows against all ranks' rows; mean over ranks equals the joined loss */
#define VISSL_REDUCTION_LOCAL 2u           /* statistics of one rank only: no equality is promised */

typedef struct vissl_loss_class {
  uint64_t size;
  vissl_status (*create)(const vissl_value* config, void** instance, vissl_err* err);
  void (*destroy)(void* instance);
  vissl_status (*build)(void* instance, vissl_store* store, const vissl_run_facts* facts, vissl_err* err);
  /* `outputs` as the model gave them; `target` (B) or (B, K), NULL when the batch has none. Writes an owned scalar. */
  vissl_status (*forward)(void* instance, vissl_run* run, vissl_tensor* const* outputs, uint64_t output_count,
                          vissl_tensor* target, vissl_tensor** loss, vissl_err* err);
  uint32_t rank_reduction; /* VISSL_REDUCTION_… */
} vissl_loss_class;

#ifdef __cplusplus
}
#endif
#endif
