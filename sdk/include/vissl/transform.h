/* Kind transform, interface "vissl.transform/0": sample in, sample out, one instance per worker, no state. A transform of
 * single images offers `apply_image`: the host calls it for each entry of "data" (or those that the `indices` parameter, which
 * every transform has, selects) with that view's random stream. Others offer `apply_sample`. */
#ifndef VISSL_TRANSFORM_H
#define VISSL_TRANSFORM_H
#include <vissl/sample.h>
#include <vissl/value.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_TRANSFORM_ID "vissl.transform/0"

typedef struct vissl_transform_class {
  uint64_t size;
  vissl_status (*create)(const vissl_value* config, void** instance, vissl_err* err); /* [main] */
  void (*destroy)(void* instance);
  vissl_status (*apply_image)(void* instance, vissl_image* image, vissl_rng* rng, vissl_err* err); /* [worker] or NULL */
  vissl_status (*apply_sample)(void* instance, vissl_sample* sample, vissl_err* err);              /* [worker] or NULL */
} vissl_transform_class;

#ifdef __cplusplus
}
#endif
#endif
