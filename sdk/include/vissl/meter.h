/* Kind meter, interface "vissl.meter/1". [main] */
#ifndef VISSL_METER_H
#define VISSL_METER_H
#include <vissl/run.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_METER_ID "vissl.meter/1"

typedef struct vissl_meter_class {
  uint64_t size;
  vissl_status (*create)(const vissl_value* config, void** instance, vissl_err* err);
  void (*destroy)(void* instance);
  vissl_status (*reset)(void* instance, vissl_err* err); /* at the start of each phase */
  vissl_status (*update)(void* instance, vissl_tensor* const* outputs, uint64_t output_count, vissl_tensor* target, vissl_err* err);
  /* Counters that the host sums over the ranks at the end of a phase: writable, `count` doubles, exact integers up to 2^53. */
  vissl_status (*counters)(void* instance, double** data, uint64_t* count, vissl_err* err);
  /* The value as a JSON object: {"top_1": {"res5avg": 75.6}}. */
  vissl_status (*value)(void* instance, const vissl_out* json, vissl_err* err);
  /* On every rank at the end of a phase, before the counters are summed: joins what is no sum (all scores, for an average precision)
   * with collectives. NULL = counters only. */
  vissl_status (*reduce)(void* instance, vissl_err* err);
} vissl_meter_class;

#ifdef __cplusplus
}
#endif
#endif
