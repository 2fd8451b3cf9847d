/* Kind trunk, interface "vissl.trunk/1": images in, named features out. [main] */
#ifndef VISSL_TRUNK_H
#define VISSL_TRUNK_H
#include <vissl/run.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_TRUNK_ID "vissl.trunk/1"

/* Inputs by name: "image" (N, C, H, W) always comes first; masks and sizes are further inputs. */
typedef struct vissl_trunk_call {
  uint64_t size;
  const vissl_str* input_names;
  vissl_tensor* const* inputs; /* borrowed */
  uint64_t input_count;
  const vissl_str* features; /* wanted, in this order; none = the last feature alone */
  uint64_t feature_count;
  uint32_t training;
} vissl_trunk_call;

typedef struct vissl_trunk_class {
  uint64_t size;
  vissl_status (*create)(const vissl_value* config, void** instance, vissl_err* err);
  void (*destroy)(void* instance);
  /* Creates all parameters and buffers in `store` (scope "trunk"). */
  vissl_status (*build)(void* instance, vissl_store* store, const vissl_run_facts* facts, vissl_err* err);
  uint64_t (*feature_count)(void* instance);          /* after build */
  vissl_str (*feature_name)(void* instance, uint64_t i); /* in network order */
  /* Writes max(1, feature_count) owned handles in request order. An unknown name is VISSL_E_CONFIG and lists the known ones. */
  vissl_status (*forward)(void* instance, const vissl_trunk_call* call, vissl_tensor** features, vissl_err* err);
  /* Width of a feature's channel dimension, -1 unknown; lets the host report a head that does not fit before the first step. May be NULL. */
  int64_t (*feature_channels)(void* instance, vissl_str feature);
} vissl_trunk_class;

#ifdef __cplusplus
}
#endif
#endif
