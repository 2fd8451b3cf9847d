/* The root of the C ABI: what a plugin exports, what the host hands to it, and the rules for both.
 *
 * Rules that hold in every header of this folder
 *  - C11, fixed-width integers, doubles and pointers only. Strings are UTF-8 pointer + length and need no
 *    terminating zero. Every struct starts with its size in bytes, as the side that filled it knew it;
 *    a reader looks at no field past that size.
 *  - Growth: fields are only appended; a change of meaning takes a new interface id. Ids end in "/0" until
 *    they are frozen, then in "/1". What an older side did not fill counts as zero: "not offered", "as before".
 *  - An array of structs that have a size holds elements of equal size, and that size is the distance between two of
 *    them, which may be more than this header's sizeof: reach element i with VISSL_AT.
 *  - Threads: [main] the training thread, [worker] any one data worker, [engine] an autograd thread, [any] all at once.
 *    The host never enters one instance from two threads at once, unless the method says [any].
 *  - Ownership: "borrowed" pointers are valid during the call unless a longer life is stated; whoever creates destroys.
 *    Nothing is freed by the side that did not allocate it. No exception, errno or FILE* crosses.
 *  - A function that can fail returns a vissl_status and takes a vissl_err* that may be NULL.
 */
#ifndef VISSL_ABI_H
#define VISSL_ABI_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_ABI_MAJOR 1u
#define VISSL_ABI_MINOR 0u

typedef int32_t vissl_status;
#define VISSL_OK 0
#define VISSL_E_FAILED 1      /* the operation failed; the run ends with exit code 1 */
#define VISSL_E_CONFIG 2      /* the configuration is wrong; exit code 2 */
#define VISSL_E_PLUGIN 3      /* the plugin cannot work in this host; exit code 3 */
#define VISSL_E_DATA 4        /* a data or weights file is missing or unreadable; exit code 4 */
#define VISSL_E_DISTRIBUTED 5 /* ranks stalled, were lost or could not meet; exit code 5 */
#define VISSL_E_UNSUPPORTED 6 /* this instance does not offer the method; never shown to a user */

typedef struct vissl_str {
  const char* data; /* NULL only when size is 0 */
  uint64_t size;    /* bytes */
} vissl_str;

/* Element i of an array of structs that begin with their size. */
#define VISSL_AT(type, array, i) ((const type*)(const void*)((const char*)(array) + (uint64_t)(i) * (array)->size))

/* The host's error sink. `set` copies `text` during the call; the last text wins. [any, one caller at a time] */
typedef struct vissl_err vissl_err;
struct vissl_err {
  uint64_t size;
  void* self;
  void (*set)(vissl_err* err, vissl_status code, vissl_str text);
};

/* A byte sink and a byte source. Both may move fewer bytes than asked; the caller loops.
 * `write` returns the number taken, 0 = failed. `read` returns the number given, 0 = end. */
typedef struct vissl_out {
  uint64_t size;
  void* self;
  uint64_t (*write)(void* self, const void* data, uint64_t bytes);
} vissl_out;
typedef struct vissl_in {
  uint64_t size;
  void* self;
  uint64_t (*read)(void* self, void* data, uint64_t bytes);
} vissl_in;

/* The host. Lives until the process ends. `get_service` returns a table such as vissl_value_api by its id
 * ("vissl.value/1") or NULL: unknown id, or a service that this command does not start (tensors in `list`). [any] */
typedef struct vissl_host vissl_host;
struct vissl_host {
  uint64_t size;
  uint32_t abi_major;
  uint32_t abi_minor;
  const void* (*get_service)(const vissl_host* host, vissl_str id);
};

struct vissl_params_api;
typedef struct vissl_decl vissl_decl; /* host object that collects one component's declarations (params.h) */

/* One component. Static data of the plugin. */
typedef struct vissl_component {
  uint64_t size;
  const char* meta;         /* "kind/name/sentence", zero-terminated, inside the section ".vissl_meta" */
  const char* interface_id; /* id of the kind's class table, zero-terminated: "vissl.loss/1" */
  const void* table;        /* the class table of that kind, e.g. const vissl_loss_class* */
  /* Declares every parameter through `api`. Calls nothing else. [main] */
  vissl_status (*declare)(vissl_decl* decl, const struct vissl_params_api* api, vissl_err* err);
  /* What this component's instances offer beyond their kind, by id: "vissl.events/1" (events.h), "vissl.state/1" (state.h).
   * NULL slot or NULL result = not offered. [main] */
  const void* (*get_extension)(vissl_str id);
} vissl_component;

/* The plugin. Static data; `components` holds `components_end - components` pointers. */
typedef struct vissl_plugin {
  uint64_t size;
  uint32_t abi_major; /* must equal the host's */
  uint32_t abi_minor; /* the minor that the plugin was built with; any is accepted */
  const char* id;      /* "org.vissl.losses", zero-terminated */
  const char* version; /* "1.0.0", zero-terminated */
  /* Called once after loading, before any other call. Fast; keeps `host`. May ask for services. [main] */
  vissl_status (*init)(const vissl_host* host, vissl_err* err);
  /* An interface of the plugin by id, or NULL. [main] */
  const void* (*get_interface)(vissl_str id);
  const vissl_component* const* components;
  const vissl_component* const* components_end;
} vissl_plugin;

/* The one exported symbol: returns static data and runs nothing else. */
typedef const vissl_plugin* (*vissl_plugin_entry_fn)(void);
#define VISSL_ENTRY_SYMBOL "vissl_plugin_entry_v1"

/* The metadata section that discovery reads without loading: zero-terminated texts in any order, with any number of
 * zero bytes between them (compilers and linkers order and align them). Exactly one is
 * "plugin/ID/VERSION/ABI_MAJOR.ABI_MINOR", the others are the components' "kind/name/sentence". No kind is called "plugin". */
#define VISSL_META_SECTION ".vissl_meta"

/* Element types; the numbers are torch's ScalarType. */
typedef int32_t vissl_dtype;
#define VISSL_U8 0
#define VISSL_I8 1
#define VISSL_I16 2
#define VISSL_I32 3
#define VISSL_I64 4
#define VISSL_F16 5
#define VISSL_F32 6
#define VISSL_F64 7
#define VISSL_C64 9
#define VISSL_C128 10
#define VISSL_BOOL 11
#define VISSL_BF16 15

/* A plain contiguous array in CPU memory; borrowed. */
typedef struct vissl_array {
  uint64_t size;
  vissl_dtype dtype;
  uint32_t ndim; /* at most 8; 0 = a scalar */
  int64_t shape[8];
  const void* data;
} vissl_array;

#ifdef __cplusplus
}
#endif
#endif
