/* vissl.autograd/1: an own backward pass, and recomputation of a block. [main]; `backward` and `free_ctx` run on [engine]. */
#ifndef VISSL_AUTOGRAD_H
#define VISSL_AUTOGRAD_H
#include <vissl/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_AUTOGRAD_ID "vissl.autograd/1"

/* A differentiable function given by the plugin. Once differentiable. Tensors reach `backward` only through `saved`. */
typedef struct vissl_function {
  uint64_t size;
  vissl_str name; /* shown in libtorch's messages */
  void* ctx;      /* passed to both; freed with free_ctx when the graph is gone, on any thread, also after the instance */
  /* Runs without grad. Fills outputs (owned handles) and the tensors to save (owned handles). */
  vissl_status (*forward)(void* ctx, vissl_tensor* const* inputs, uint64_t input_count, vissl_tensor** outputs,
                          uint64_t output_count, vissl_tensor** saved, uint64_t saved_capacity, uint64_t* saved_count, vissl_err* err);
  /* grads_out[i] may be NULL (zero). Fills grads_in with owned handles or NULL for inputs without gradient. */
  vissl_status (*backward)(void* ctx, vissl_tensor* const* saved, uint64_t saved_count, vissl_tensor* const* grads_out,
                           uint64_t output_count, vissl_tensor** grads_in, uint64_t input_count, vissl_err* err);
  void (*free_ctx)(void* ctx);
} vissl_function;

/* A block of a trunk: outputs = fn(inputs). Outputs are owned handles. */
typedef vissl_status (*vissl_block_fn)(void* ctx, vissl_tensor* const* inputs, uint64_t input_count, vissl_tensor** outputs,
                                       uint64_t output_count, vissl_err* err);

typedef struct vissl_autograd_api {
  uint64_t size;
  vissl_status (*apply)(const vissl_function* fn, vissl_tensor* const* inputs, uint64_t input_count, vissl_tensor** outputs,
                        uint64_t output_count, vissl_err* err);
  /* Runs a named block ("layer1.0"): recomputation in backward, sharding, per-layer time, memory and statistics hang on this call.
   * `fn` must be repeatable; `ctx` must live until backward is done (the trunk instance does). */
  vissl_status (*block_call)(vissl_str name, vissl_block_fn fn, void* ctx, vissl_tensor* const* inputs, uint64_t input_count,
                             vissl_tensor** outputs, uint64_t output_count, vissl_err* err);
} vissl_autograd_api;

#ifdef __cplusplus
}
#endif
#endif
