/* Kind head, interface "vissl.head/1": a feature in, one or more outputs out. [main] */
#ifndef VISSL_HEAD_H
#define VISSL_HEAD_H
#include <vissl/run.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_HEAD_ID "vissl.head/1"

typedef struct vissl_head_class {
  uint64_t size;
  /* `config` holds the head's parameters; batchnorm_eps, batchnorm_momentum and params_multiplier come merged from
   * model.head_defaults. */
  vissl_status (*create)(const vissl_value* config, void** instance, vissl_err* err);
  void (*destroy)(void* instance);
  vissl_status (*build)(void* instance, vissl_store* store, const vissl_run_facts* facts, vissl_err* err);
  vissl_status (*forward)(void* instance, vissl_tensor* const* inputs, uint64_t input_count, uint32_t training,
                          const vissl_tensor_sink* outputs, vissl_err* err);
  int64_t (*in_channels)(void* instance); /* what the head expects, -1 = any; for the check of shapes. May be NULL */
} vissl_head_class;

#ifdef __cplusplus
}
#endif
#endif
