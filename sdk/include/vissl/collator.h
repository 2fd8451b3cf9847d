/* Kind collator, interface "vissl.collator/0": turns B samples into a batch. Pure: the same samples give the same batch. */
#ifndef VISSL_COLLATOR_H
#define VISSL_COLLATOR_H
#include <vissl/batch.h>
#include <vissl/value.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_COLLATOR_ID "vissl.collator/0"

typedef struct vissl_collator_class {
  uint64_t size;
  vissl_status (*create)(const vissl_value* config, void** instance, vissl_err* err); /* [main] */
  void (*destroy)(void* instance);
  /* Adds the fields for a batch of `count` samples like `first` (the sample at batch position 0, transformed). */
  vissl_status (*layout)(void* instance, vissl_sample* first, int64_t count, vissl_batch* batch, vissl_err* err);
  /* Writes the rows of the sample at batch position i. Different samples of a batch are placed by different workers at once, each
   * with its own instance. A sample whose shape differs from the layout is an error that names both shapes. */
  vissl_status (*place)(void* instance, int64_t i, int64_t count, vissl_sample* sample, vissl_batch* batch, vissl_err* err);
  /* Mixes samples, e.g. mixup; called once when all rows are written. May be NULL. */
  vissl_status (*finish)(void* instance, vissl_batch* batch, vissl_err* err);
} vissl_collator_class;

#ifdef __cplusplus
}
#endif
#endif
