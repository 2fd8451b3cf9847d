/* Kind weights, interface "vissl.weights_profile/0": which tensor of a file goes where. The host reads the file and shows names and
 * shapes; the profile answers with a name of the model for each, all before anything is written. [main] */
#ifndef VISSL_WEIGHTS_H
#define VISSL_WEIGHTS_H
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
} vissl_weights_sink;

typedef struct vissl_weights_profile_class {
  uint64_t size;
  vissl_status (*create)(const vissl_value* config, void** instance, vissl_err* err);
  void (*destroy)(void* instance);
  vissl_status (*plan)(void* instance, const vissl_weights_entry* source, uint64_t source_count,
                       const vissl_weights_entry* targets, uint64_t target_count, const vissl_weights_sink* sink, vissl_err* err);
} vissl_weights_profile_class;

#ifdef __cplusplus
}
#endif
#endif
