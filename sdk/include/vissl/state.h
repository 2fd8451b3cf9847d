/* Extension "vissl.state/1": state of an instance that is not in tensors of the store. Saving twice without a step gives equal bytes.
 * A fresh instance that loads is as one that never stopped. Empty, cut or random input is refused with an error. [main] */
#ifndef VISSL_STATE_H
#define VISSL_STATE_H
#include <vissl/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_STATE_ID "vissl.state/1"

typedef struct vissl_state_class {
  uint64_t size;
  uint64_t version; /* of the format; older ones must load */
  vissl_status (*save)(void* instance, const vissl_out* out, vissl_err* err);
  vissl_status (*load)(void* instance, const vissl_in* in, uint64_t version, vissl_err* err);
} vissl_state_class;

#ifdef __cplusplus
}
#endif
#endif
