/* vissl.store/1: parameters and buffers. The host owns every one of them; a component names them in `build` and keeps
 * borrowed handles that stay the same objects for the model's life (moves go through the tensor's data). Nothing is added
 * after build. A vissl_store* is a scope: names are joined with dots, e.g. scope "trunk" + "_feature_blocks.conv1.weight".
 * [main], during build only unless said otherwise. */
#ifndef VISSL_STORE_H
#define VISSL_STORE_H
#include <vissl/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_STORE_ID "vissl.store/1"

typedef struct vissl_store vissl_store;

/* Initial values. Draws come from torch's CPU generator in the order of creation, so that they equal torch's modules. */
#define VISSL_INIT_ZEROS 0u
#define VISSL_INIT_ONES 1u
#define VISSL_INIT_CONSTANT 2u     /* a */
#define VISSL_INIT_UNIFORM 3u      /* uniform_(a, b) */
#define VISSL_INIT_NORMAL 4u       /* normal_(mean a, std b) */
#define VISSL_INIT_TRUNC_NORMAL 5u /* trunc_normal_(mean 0, std a, cut at -b..b absolute) */
#define VISSL_INIT_ORTHOGONAL 6u   /* orthogonal_(gain a) */
#define VISSL_INIT_DATA 7u         /* row-major values of the tensor's dtype at `data` */

/* What the tensor is, for parameter groups, layer-wise decay and weight loading. */
#define VISSL_ROLE_WEIGHT 0u
#define VISSL_ROLE_BIAS 1u
#define VISSL_ROLE_OTHER 2u
#define VISSL_MODULE_OTHER 0u
#define VISSL_MODULE_LINEAR 1u
#define VISSL_MODULE_CONV 2u
#define VISSL_MODULE_BATCH_NORM 3u
#define VISSL_MODULE_LAYER_NORM 4u
#define VISSL_MODULE_GROUP_NORM 5u
#define VISSL_MODULE_EMBEDDING 6u

#define VISSL_TAG_FIRST_CONV 1u
#define VISSL_TAG_CLASSIFIER 2u
#define VISSL_TAG_POS_EMBED 4u /* pos_prefix tokens, then pos_grid_h x pos_grid_w patches, row-major */
#define VISSL_TAG_NO_GRAD 8u   /* a parameter that is never trained (requires_grad false) */

/* How a buffer lives in a distributed run. */
#define VISSL_BUFFER_REPLICATED 0u /* equal on all ranks: broadcast from rank 0 at start and after a resume */
#define VISSL_BUFFER_PER_RANK 1u   /* each rank has its own; saved in the rank's file */
#define VISSL_BUFFER_SHARDED 2u    /* rows (dimension 0) are split over the ranks */
#define VISSL_BUFFER_NOT_SAVED 16u /* flag: no part of the state dict */

typedef struct vissl_store_spec {
  uint64_t size;
  vissl_str name; /* within the scope; may contain dots */
  vissl_dtype dtype;
  uint32_t ndim;
  int64_t shape[8];
  uint32_t init; /* VISSL_INIT_… */
  uint32_t role;
  uint32_t module;
  uint32_t tags;
  double a, b;
  const void* data;
  int32_t depth; /* layer number for layer-wise decay, -1 = unknown */
  uint32_t pos_prefix, pos_grid_h, pos_grid_w;
  uint32_t buffer; /* VISSL_BUFFER_… for `buffer` */
} vissl_store_spec;

/* What a store holds; filled by `entry`. */
typedef struct vissl_store_entry {
  uint64_t size;        /* set by the caller */
  vissl_str name;       /* within the scope; borrowed for the store's life */
  vissl_tensor* tensor; /* borrowed for the store's life */
  uint32_t parameter;   /* 0 = a buffer */
  uint32_t trainable;
  uint32_t role, module, tags;
  int32_t depth;
  uint32_t buffer; /* VISSL_BUFFER_… of a buffer */
} vissl_store_entry;

typedef struct vissl_store_api {
  uint64_t size;
  vissl_store* (*child)(vissl_store* store, vissl_str name); /* lives as long as the store */
  vissl_status (*param)(vissl_store* store, const vissl_store_spec* spec, vissl_tensor** out, vissl_err* err);  /* borrowed */
  vissl_status (*buffer)(vissl_store* store, const vissl_store_spec* spec, vissl_tensor** out, vissl_err* err); /* borrowed */
  /* A parameter or buffer that exists already, by its name within the scope; NULL when there is none. Also after build. */
  vissl_tensor* (*find)(vissl_store* store, vissl_str name);
  /* Multiplies the initial value, e.g. VISSL's PARAMS_MULTIPLIER or BEiT's depth scaling. */
  vissl_status (*scale)(vissl_store* store, vissl_str name, double factor, vissl_err* err);
  /* VISSL's "seeded block": saves torch's generator, seeds it with the model's init seed + offset; pop restores it. */
  vissl_status (*seed_push)(vissl_store* store, uint64_t offset, vissl_err* err);
  vissl_status (*seed_pop)(vissl_store* store, vissl_err* err);
  /* Draws and drops the values that an initialiser would draw: for constructors of the reference that initialise layers which
   * are then replaced. Only `dtype`, `shape`, `init`, `a`, `b` of the spec are read. */
  vissl_status (*discard)(vissl_store* store, const vissl_store_spec* spec, vissl_err* err);
  /* The parameters and buffers of the scope in the order of their creation. Also after build. */
  uint64_t (*entry_count)(vissl_store* store);
  vissl_status (*entry)(vissl_store* store, uint64_t i, vissl_store_entry* out, vissl_err* err);
} vissl_store_api;

#ifdef __cplusplus
}
#endif
#endif
