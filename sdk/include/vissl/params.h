/* vissl.params/1: how a component declares its parameters. `declare` of a component calls these; the host checks every
 * config against them before anything starts, so that `create` may rely on names, types, bounds and defaults. */
#ifndef VISSL_PARAMS_H
#define VISSL_PARAMS_H
#include <vissl/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_PARAMS_ID "vissl.params/1"

/* Types. A list type is the element type | VISSL_P_LIST. INT accepts 5, NUMBER accepts 5 and 5.0. */
#define VISSL_P_BOOL 1u
#define VISSL_P_INT 2u
#define VISSL_P_NUMBER 3u
#define VISSL_P_STRING 4u
#define VISSL_P_TABLE 5u     /* free table: inner keys are not checked by the host */
#define VISSL_P_ANY 6u       /* any value; the component checks it in create */
#define VISSL_P_COMPONENT 7u /* { name, … }: a component of kind `component_kind` */
#define VISSL_P_MODEL 8u     /* a table like [model] (trunk, heads, weights_init …), checked like it; keys that it does not list are absent.
                              * For vissl_twin_spec.config: a teacher of another architecture. Cannot be a list. */
#define VISSL_P_LIST 0x100u
#define VISSL_P_TYPE_MASK 0xffu

/* Flags */
#define VISSL_P_REQUIRED 1u   /* no default; absence is an error */
#define VISSL_P_OPTIONAL 2u   /* may be absent: `find` returns NULL */
#define VISSL_P_MIN_OPEN 4u   /* value > min instead of >= */
#define VISSL_P_MAX_OPEN 8u   /* value < max instead of <= */
#define VISSL_P_PATH 16u      /* a path or URL: relative ones are resolved against the config file's folder */
#define VISSL_P_DEPRECATED 32u /* accepted with a warning that shows `doc` */

typedef struct vissl_param {
  uint64_t size;
  vissl_str name;
  uint32_t type;
  uint32_t flags;
  vissl_str default_toml; /* the default as a TOML value: 0.1, [1, 2], "mean", {}; empty with REQUIRED or OPTIONAL */
  double min;             /* bounds of numbers and of every element of number lists; -INFINITY / INFINITY = none */
  double max;
  const vissl_str* choices; /* allowed strings, or integers in decimal; NULL = any */
  uint64_t choice_count;
  vissl_str component_kind; /* for COMPONENT */
  vissl_str doc;            /* one sentence with the unit */
  vissl_str vissl_key;      /* VISSL's setting, "LOSS.simclr_info_nce_loss.temperature"; may be empty */
  vissl_str accepts;        /* of ANY, for people: what it takes, "an integer or [height, width]"; may be empty */
} vissl_param;

typedef struct vissl_params_api {
  uint64_t size;
  vissl_status (*add)(vissl_decl* decl, const vissl_param* param, vissl_err* err);
  /* Inference: when the user did not set this component's `name`, it takes the value of `from`, a path into the whole
   * config ("model.heads[0].num_clusters", "checkpoint.dir") or one of the functions len(path), last(path), sum(path),
   * product(path, path). `[*]` in a path means the first component that has the key. Evaluated to a fixpoint; a user's
   * value that differs is kept, or with `strict` refused as a conflict that names both places. */
  vissl_status (*derive)(vissl_decl* decl, vissl_str name, vissl_str from, uint32_t strict, vissl_err* err);
  /* The config is wrong unless the value at `path` is one of `allowed`; `why` completes "… because". A path that does not exist is
   * not checked, but with a `count` of 0 it must exist, whatever its value. */
  vissl_status (*require)(vissl_decl* decl, vissl_str path, const vissl_str* allowed, uint64_t count, vissl_str why,
                          vissl_err* err);
  /* Sets `path` of the whole config to `toml` unless the user set it (e.g. data.train.label_type). */
  vissl_status (*imply)(vissl_decl* decl, vissl_str path, vissl_str toml, vissl_err* err);
  /* VISSL's prefix for all parameters that have no vissl_key: "LOSS.simclr_info_nce_loss". */
  vissl_status (*vissl_prefix)(vissl_decl* decl, vissl_str prefix, vissl_err* err);
} vissl_params_api;

#ifdef __cplusplus
}
#endif
#endif
