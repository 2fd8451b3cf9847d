/* Kind sampler, interface "vissl.sampler/0": which dataset positions make up each batch of a phase. Later state by replay: `open`
 * with the same arguments gives the same batches. [main] */
#ifndef VISSL_SAMPLER_H
#define VISSL_SAMPLER_H
#include <vissl/value.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_SAMPLER_ID "vissl.sampler/0"

typedef struct vissl_sampler_open {
  uint64_t size;
  int64_t length;        /* of the split, after data_limit */
  const int64_t* labels; /* one class per element, or NULL */
  int64_t batch_size;    /* per rank */
  int64_t epoch;         /* phase number: train phases count all phases, as VISSL's set_epoch(phase_idx) does */
  int64_t rank, world;
  uint64_t seed;         /* seed_value */
  uint32_t training;     /* 1 = train split of a train phase */
  uint32_t drop_last;
} vissl_sampler_open;

typedef struct vissl_sampler_class {
  uint64_t size;
  vissl_status (*create)(const vissl_value* config, void** instance, vissl_err* err);
  void (*destroy)(void* instance);
  vissl_status (*open)(void* instance, const vissl_sampler_open* args, vissl_err* err);
  int64_t (*batch_count)(void* instance);
  /* Positions of batch k of this rank, borrowed until the next call. The last batch may be shorter. A position may repeat. */
  vissl_status (*batch)(void* instance, int64_t k, const int64_t** indices, uint64_t* count, vissl_err* err);
} vissl_sampler_class;

#ifdef __cplusplus
}
#endif
#endif
