/* vissl.model/1: forward passes of the run's model and of twins (momentum encoder, teacher). A twin is a second instance of trunk and
 * heads in a second store, never a deep copy. [main] */
#ifndef VISSL_MODEL_H
#define VISSL_MODEL_H
#include <vissl/store.h>
#include <vissl/value.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_MODEL_ID "vissl.model/1"

typedef struct vissl_model vissl_model; /* the run's model, or a twin; lives until the run ends */

/* Owned handles pushed by a callee, in order. */
typedef struct vissl_tensor_sink {
  uint64_t size;
  void* self;
  void (*push)(void* self, vissl_tensor* owned);
} vissl_tensor_sink;

#define VISSL_TWIN_BUFFERS_COPY 0u /* buffers are copied from the source at every update */
#define VISSL_TWIN_BUFFERS_EMA 1u
#define VISSL_TWIN_BUFFERS_OWN 2u /* the twin's own forward passes update them */

#define VISSL_MODE_EVAL 0u
#define VISSL_MODE_TRAIN 1u

/* Which ranks share the batch-norm statistics of a twin. */
#define VISSL_TWIN_SYNC_NONE 0u
#define VISSL_TWIN_SYNC_ALL 1u    /* all ranks, whatever the run uses */
#define VISSL_TWIN_SYNC_AS_RUN 2u /* those of the run's model */

/* Mode of one forward pass. */
#define VISSL_FORWARD_MODE_DEFAULT 0u /* a twin's own mode; `training` for the run's model */
#define VISSL_FORWARD_MODE_EVAL 1u
#define VISSL_FORWARD_MODE_TRAIN 2u

typedef struct vissl_twin_spec {
  uint64_t size;
  vissl_model* from;         /* copies architecture and values; NULL with `config` */
  const vissl_value* config; /* a [model]-like table (VISSL_P_MODEL): trunk, heads, weights_init; unlisted keys come from [model] */
  const vissl_value* overrides; /* table merged over the architecture, e.g. trunk.drop_path_rate = 0; NULL = none */
  uint32_t buffers;             /* VISSL_TWIN_BUFFERS_… */
  uint32_t mode;                /* VISSL_MODE_… of its forward passes */
  uint32_t sync_bn;             /* VISSL_TWIN_SYNC_… */
  uint32_t saved;               /* 1 = part of checkpoints under `state_path` */
  vissl_str state_path;         /* "loss.moco_encoder" */
} vissl_twin_spec;

typedef struct vissl_model_input {
  uint64_t size;
  vissl_tensor* const* tensors; /* one, or one per crop */
  uint64_t count;
  const vissl_str* features; /* names to return instead of head outputs; count 0 = run the heads */
  uint64_t feature_count;
  uint32_t with_grad;
  uint32_t training; /* VISSL_MODE_… ; twins ignore it and use their own mode */
  const vissl_str* names; /* with [[model.inputs]]: the batch field that each of `tensors` stands for; the mapping then takes its
                           * images and extra inputs from these. NULL = an image, or one image per crop */
  const vissl_str* extra_names; /* without [[model.inputs]]: further inputs of the trunk, such as "mask" */
  vissl_tensor* const* extras;
  uint64_t extra_count;
  uint32_t mode;          /* VISSL_FORWARD_MODE_… */
  uint32_t from_features; /* 1 = `tensors` are features, one per head or one for heads in a row; the trunk does not run */
  uint64_t head_begin, head_end; /* runs the heads [begin, end) of model.heads alone; head_end 0 = to the last */
} vissl_model_input;

typedef struct vissl_model_api {
  uint64_t size;
  /* Every rank makes the same twins. One that is saved gets its state back when the run is resumed, also when it is created after
   * the checkpoint was read (in START, or in the first step), so that a component creates its twins the same way always. */
  vissl_status (*create)(const vissl_twin_spec* spec, vissl_model** out, vissl_err* err);
  vissl_status (*forward)(vissl_model* model, const vissl_model_input* input, const vissl_tensor_sink* outputs, vissl_err* err);
  /* twin = momentum * twin + (1 - momentum) * source, parameters in name order; buffers by the twin's rule. */
  vissl_status (*ema_update)(vissl_model* twin, vissl_model* source, double momentum, vissl_err* err);
  vissl_store* (*store)(vissl_model* model); /* root scope: "trunk.…", "heads.0.…" */
} vissl_model_api;

#ifdef __cplusplus
}
#endif
#endif
