/* Extension "vissl.blocks/1": a component of any kind acts around the blocks of a trunk (block_call of autograd.h): time, memory and
 * activation statistics per layer; parameters that are gathered for the block and dropped after it (`set_data` of tensor.h).
 *
 * In a pass with recomputation (model.activation_checkpointing) a block runs twice: without gradient in the forward pass, and again
 * in the backward pass; the second time `leave` comes when the block's backward is done and its gradients are in place. So parameters
 * need their values only between `enter` and `leave`. Without recomputation the block's backward comes later, on its own.
 *
 * Order: `enter` as events are sent (loss, optimizer, trunk, heads, hooks, engine), `leave` the other way round. `leave` is also called
 * when the block failed. [main]; in the backward pass [engine] */
#ifndef VISSL_BLOCKS_H
#define VISSL_BLOCKS_H
#include <vissl/run.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_BLOCKS_ID "vissl.blocks/1"

/* One run of a block. Borrowed during the call. */
typedef struct vissl_block {
  uint64_t size;
  vissl_str name;     /* "layer1.0" */
  vissl_model* model; /* whose block: the run's model or a twin */
  uint32_t training;
  uint32_t recompute; /* 0 = the only run, 1 = the first of two, 2 = the second, in the backward pass */
  vissl_tensor* const* tensors; /* inputs in `enter`, outputs in `leave`; none when the block failed */
  uint64_t count;
} vissl_block;

typedef struct vissl_blocks_class {
  uint64_t size;
  vissl_status (*enter)(void* instance, const vissl_block* block, vissl_err* err);
  vissl_status (*leave)(void* instance, const vissl_block* block, vissl_err* err);
} vissl_blocks_class;

#ifdef __cplusplus
}
#endif
#endif
