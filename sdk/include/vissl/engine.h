/* Kind engine, interface "vissl.engine/1": what `[engine]` runs. The host has built data splits and model (weights loaded as for
 * evaluation: [model.weights_init]) before `run`; everything else goes through vissl.run/1. [main] */
#ifndef VISSL_ENGINE_H
#define VISSL_ENGINE_H
#include <vissl/run.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_ENGINE_ID "vissl.engine/1"

#define VISSL_ENGINE_TRAINS 1u /* the host also builds loss, optimizer and hooks and resumes; the engine calls `train` of vissl.run/1 */

typedef struct vissl_engine_class {
  uint64_t size;
  vissl_status (*create)(const vissl_value* config, void** instance, vissl_err* err);
  void (*destroy)(void* instance);
  vissl_status (*run)(void* instance, vissl_run* run, vissl_err* err);
  uint32_t flags; /* VISSL_ENGINE_… */
} vissl_engine_class;

#ifdef __cplusplus
}
#endif
#endif
