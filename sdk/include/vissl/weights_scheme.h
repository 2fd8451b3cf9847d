/* Kind weights_scheme, interface "vissl.weights_scheme/0": where weights are. A component called "zoo" answers for all locators that begin
 * with "zoo://", e.g. params_file = "zoo://resnet50/simclr". Its parameters stand in the config as weights_schemes = [{ name =
 * "zoo", ... }]; without an entry they have their defaults. [main] */
#ifndef VISSL_WEIGHTS_SCHEME_H
#define VISSL_WEIGHTS_SCHEME_H
#include <vissl/value.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_WEIGHTS_SCHEME_ID "vissl.weights_scheme/0"

typedef struct vissl_weights_scheme_class {
  uint64_t size;
  vissl_status (*create)(const vissl_value* config, void** instance, vissl_err* err);
  void (*destroy)(void* instance);
  /* Writes where `locator` (whole, with its scheme) leads: the absolute path of a readable file, or a locator of another scheme, which the
   * host then resolves ("file:///data/x.torch", "https://..."). A name that it does not know is VISSL_E_DATA with the
   * names that it knows. May take long (a download); the same locator gives the same content. */
  vissl_status (*resolve)(void* instance, vissl_str locator, const vissl_out* out, vissl_err* err);
} vissl_weights_scheme_class;

/* Service "vissl.locator/0", for components that read weights themselves. */
#define VISSL_LOCATOR_ID "vissl.locator/0"

typedef struct vissl_locator_api {
  uint64_t size;
  /* Writes the path of the file that a locator leads to, through as many schemes as it takes. What has no "://" is a path
   * and comes back as it is. [main] */
  vissl_status (*local_file)(vissl_str locator, const vissl_out* out, vissl_err* err);
} vissl_locator_api;

#ifdef __cplusplus
}
#endif
#endif
