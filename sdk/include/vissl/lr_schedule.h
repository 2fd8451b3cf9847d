/* Kind lr_schedule, interface "vissl.lr_schedule/1": a number as a pure function of progress. */
#ifndef VISSL_LR_SCHEDULE_H
#define VISSL_LR_SCHEDULE_H
#include <vissl/value.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_LR_SCHEDULE_ID "vissl.lr_schedule/1"

typedef struct vissl_schedule_at {
  uint64_t size;
  double where;      /* [0, 1) */
  int64_t epoch;     /* train phase, from 0 */
  int64_t num_epochs;
} vissl_schedule_at;

typedef struct vissl_lr_schedule_class {
  uint64_t size;
  vissl_status (*create)(const vissl_value* config, void** instance, vissl_err* err); /* [main] */
  void (*destroy)(void* instance);
  vissl_status (*value)(void* instance, const vissl_schedule_at* at, double* out, vissl_err* err); /* [any] */
  /* auto_lr_scaling, called once before the first value: the schedule's leading value becomes factor * base_value of its own
   * auto_lr_scaling table, the others keep their proportion to it. `factor` is the batch size of all ranks over base_lr_batch_size, or
   * its square root. `ramp_from` is where a composite's linear warm-up starts; NaN = it has none (VISSL's rule on one node: a warm-up
   * that would not rise is dropped). NULL = cannot be scaled. [main] */
  vissl_status (*rescale)(void* instance, double factor, double ramp_from, vissl_err* err);
} vissl_lr_schedule_class;

#ifdef __cplusplus
}
#endif
#endif
