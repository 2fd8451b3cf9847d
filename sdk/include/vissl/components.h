/* vissl.components/1: a component that contains others (composite schedule, RandomApply over transforms) creates them here from
 * its own config. Kind and nested parameters were declared with VISSL_P_COMPONENT, so the host has checked them. [main] in create */
#ifndef VISSL_COMPONENTS_H
#define VISSL_COMPONENTS_H
#include <vissl/value.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_COMPONENTS_ID "vissl.components/1"

typedef struct vissl_components_api {
  uint64_t size;
  /* Creates the component that `config` (a table with `name`) names. `table` is the kind's class table; the caller destroys the
   * instance through it. */
  vissl_status (*create)(vissl_str kind, const vissl_value* config, const void** table, void** instance, vissl_err* err);
  /* What instances of that component offer beyond their kind ("vissl.events/1"), for a component that passes events and state on to
   * those inside it. NULL = not offered. */
  const void* (*extension)(vissl_str kind, const vissl_value* config, vissl_str id);
} vissl_components_api;

#ifdef __cplusplus
}
#endif
#endif
