/* Kind weights, interface "vissl.weights_profile/0": which tensor of a file goes where. The host reads the file and shows names and
 * shapes; the profile answers with a name of the model for each, all before anything is written. A plan may be made without a model
 * behind it (`check`), so `plan` has no tensors. [main] */
#ifndef VISSL_WEIGHTS_H
#define VISSL_WEIGHTS_H
#include <vissl/tensor.h>
#include <vissl/value.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_WEIGHTS_PROFILE_ID "vissl.weights_profile/0"

typedef struct vissl_weights_entry {
  uint64_t size;
  vissl_str name; /* full dotted path inside the file: "classy_state_dict.base_model.model.trunk._feature_blocks.conv1.weight" */
  vissl_dtype dtype;
  uint32_t ndim;
  int64_t shape[8];
} vissl_weights_entry;

/* Receives the plan. Entries that are not mentioned stay unused and are reported. */
typedef struct vissl_weights_sink {
  uint64_t size;
  void* self;
  void (*load)(void* self, uint64_t entry, vissl_str target);  /* target: "trunk._feature_blocks.conv1.weight" */
  void (*ignore)(void* self, uint64_t entry, vissl_str reason);
  void (*skip_target)(void* self, vissl_str target, vissl_str reason); /* stays as initialised on purpose */
  /* The target becomes what `adapt` makes of these entries. `what` is for the report: "classes 1 to 1000 of 1001". */
  void (*compute)(void* self, const uint64_t* entries, uint64_t count, vissl_str target, uint64_t recipe, vissl_str what);
  /* A line that another system's users know, e.g. of its list of missing keys; `level` as VISSL_LOG_INFO of run.h. Shown once for all ranks. */
  void (*message)(void* self, uint32_t level, vissl_str line);
} vissl_weights_sink;

/* What `vissl-host convert` wants: the tensors of a file under another system's names. */
#define VISSL_WEIGHTS_WITH_HEADS 1u       /* flag: the linear classifier too */
#define VISSL_WEIGHTS_REVERSE_CHANNELS 2u /* flag: the first convolution's inputs in reverse, BGR to RGB; also a change of `keep` */
typedef struct vissl_weights_rename_request {
  uint64_t size;
  const vissl_weights_entry* source;
  uint64_t source_count;
  vissl_str to;        /* a system: "torchvision" */
  vissl_str from;      /* empty: to be found by the names */
  vissl_str part;      /* take what stands below this place, the beginning of names up to a dot; empty: what fits best */
  vissl_str container; /* "torch", "safetensors" or "numpy pickle" */
  uint32_t depth;      /* of a ResNet; 0 = any. Another one is an error. */
  uint32_t flags;
} vissl_weights_rename_request;

/* Receives the new names. An entry that is not mentioned is reported as not covered. */
typedef struct vissl_weights_rename_sink {
  uint64_t size;
  void* self;
  /* `place`: nested dicts, "classy_state_dict.base_model.model.trunk", or empty. `name`: the key there, dots and all. `change`: 0 or
   * VISSL_WEIGHTS_REVERSE_CHANNELS, which reverses axis 1. */
  void (*keep)(void* self, uint64_t entry, vissl_str place, vissl_str name, uint32_t change);
  void (*drop)(void* self, uint64_t entry, vissl_str reason);
  /* A further tensor of the entry's element type and shape, all of one value. */
  void (*fill)(void* self, uint64_t like, vissl_str place, vissl_str name, double value);
  /* Further keys of the file's outermost dict. */
  void (*text)(void* self, vissl_str name, vissl_str value);
  void (*flag)(void* self, vissl_str name, int32_t value);
  void (*message)(void* self, uint32_t level, vissl_str line); /* level as VISSL_LOG_INFO of run.h */
} vissl_weights_rename_sink;

typedef struct vissl_weights_profile_class {
  uint64_t size;
  vissl_status (*create)(const vissl_value* config, void** instance, vissl_err* err);
  void (*destroy)(void* instance);
  vissl_status (*plan)(void* instance, const vissl_weights_entry* source, uint64_t source_count,
                       const vissl_weights_entry* targets, uint64_t target_count, const vissl_weights_sink* sink, vissl_err* err);
  /* Writes the locator of the file: a path, or what a weights_scheme answers for. NULL: the parameter params_file. Nothing written: there
   * are no weights, and the model stays as it was initialised, with a warning; evaluation refuses that. */
  vissl_status (*locator)(void* instance, const vissl_out* out, vissl_err* err);
  /* For each compute of the plan, after all of the plan is known to be right: gives a new tensor of the target's shape. The sources are
   * borrowed, on the CPU, with the file's element types; the host casts and moves the result. Tensor services are there. */
  vissl_status (*adapt)(void* instance, uint64_t recipe, vissl_tensor* const* sources, uint64_t count,
                        const vissl_weights_entry* target, vissl_tensor** out, vissl_err* err);
  /* NULL: knows no other system's names. An unknown system is VISSL_E_CONFIG with the list of those it knows. */
  vissl_status (*rename)(void* instance, const vissl_weights_rename_request* request, const vissl_weights_rename_sink* sink, vissl_err* err);
} vissl_weights_profile_class;

#ifdef __cplusplus
}
#endif
#endif
