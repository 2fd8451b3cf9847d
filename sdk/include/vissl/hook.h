/* Kind hook, interface "vissl.hook/1": acts through the extensions "vissl.events/1" and "vissl.state/1" alone. [main] */
#ifndef VISSL_HOOK_H
#define VISSL_HOOK_H
#include <vissl/events.h>
#include <vissl/state.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_HOOK_ID "vissl.hook/1"

typedef struct vissl_hook_class {
  uint64_t size;
  vissl_status (*create)(const vissl_value* config, void** instance, vissl_err* err);
  void (*destroy)(void* instance);
} vissl_hook_class;

#ifdef __cplusplus
}
#endif
#endif
