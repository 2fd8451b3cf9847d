/* Kind weights_scheme, interface "vissl.weights_scheme/0": where weights are. A component called "zoo" answers for all locators that begin
 * with "zoo:", e.g. params_file = "zoo://resnet50/simclr" or "zoo:resnet50". Its parameters stand in the config as weights_schemes =
 * [{ name = "zoo", ... }]; without an entry they have their defaults. `prefix` of an entry gives it other locators. [main] */
#ifndef VISSL_WEIGHTS_SCHEME_H
#define VISSL_WEIGHTS_SCHEME_H
#include <vissl/value.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_WEIGHTS_SCHEME_ID "vissl.weights_scheme/0"

/* What a scheme is asked; borrowed. */
typedef struct vissl_weights_request {
  uint64_t size;
  vissl_str locator; /* whole, with its scheme, without the fragment "#sha256=...&keep=..." */
  vissl_str sha256;  /* the content's, in 64 lower-case hexadecimal digits, as far as it is known; empty = any content */
  void* self;        /* of the two functions */
  /* A line of the log; `level` is 0 to 3: debug, information, warning, error. */
  void (*log)(void* self, uint32_t level, vissl_str text);
  /* How far a download is, as often as wanted: the host shows a line now and then. `total_bytes` 0 = unknown. */
  void (*progress)(void* self, uint64_t done_bytes, uint64_t total_bytes);
} vissl_weights_request;

#define VISSL_WEIGHTS_CHECKED 1u /* `resolve` compares the content with `sha256` itself, else the host does */

typedef struct vissl_weights_scheme_class {
  uint64_t size;
  vissl_status (*create)(const vissl_value* config, void** instance, vissl_err* err);
  void (*destroy)(void* instance);
  /* Writes where the locator leads: the absolute path of a readable file or folder, or a locator of another scheme, which the
   * host then resolves ("file:///data/x.torch", "https://..."). A locator may end in a fragment: "#sha256=HEX" pins the content,
   * "#keep=PREFIX" keeps only the tensors whose names begin so, and cuts that off; "&" joins both. A name that it does not
   * know is VISSL_E_DATA with the names that it knows. May take long (a download), but
   * uses no network when the environment has VISSL_OFFLINE=1; the same locator gives the same content. */
  vissl_status (*resolve)(void* instance, const vissl_weights_request* request, const vissl_out* out, vissl_err* err);
  uint64_t flags; /* VISSL_WEIGHTS_CHECKED or 0 */
  /* Calls `found` once for each name that the scheme knows, in any order: `name` is what follows "SCHEME://", `place` what `resolve`
   * would write for it, with its fragment; both borrowed. Uses no network. NULL: any name may lead somewhere, or none has a list. */
  vissl_status (*names)(void* instance, void* self, void (*found)(void* self, vissl_str name, vissl_str place), vissl_err* err);
} vissl_weights_scheme_class;

/* Service "vissl.locator/0", for components that read weights themselves. */
#define VISSL_LOCATOR_ID "vissl.locator/0"

/* Where a locator leads; borrowed during the call of `found`. */
typedef struct vissl_located {
  uint64_t size;
  vissl_str path;   /* of a file or a folder; whether it exists is the reader's to say when the locator was a path */
  vissl_str origin; /* the last locator before the path, without its secrets, e.g. the URL behind "torchvision://resnet50"; or the path */
  vissl_str keep;   /* "backbone.": only tensors whose names begin so count, without that beginning; empty = all */
  vissl_str sha256; /* the content's, which was checked; empty = not known */
} vissl_located;

typedef struct vissl_locator_api {
  uint64_t size;
  /* Writes the path that a locator leads to, through as many schemes as it takes. What names no scheme is a path and
   * comes back as it is, with "~" expanded. A locator with "#keep=" is refused: it needs `locate`. [main] */
  vissl_status (*local_file)(vissl_str locator, const vissl_out* out, vissl_err* err);
  /* The same with all that is known; calls `found` once, unless it fails. [main] */
  vissl_status (*locate)(vissl_str locator, void* self, void (*found)(void* self, const vissl_located* located),
                         vissl_err* err);
} vissl_locator_api;

#ifdef __cplusplus
}
#endif
#endif
