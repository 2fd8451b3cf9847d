/* vissl.tensor/1: tensors and operators. A vissl_tensor* is libtorch's AtenTensorHandle (an at::Tensor*), so plugins
 * built on torch's stable ABI can use it as it is. All work goes through ATen's dispatcher: autograd, autocast, devices and
 * determinism are libtorch's. [main] and, inside a custom backward, [engine].
 *
 * Ownership: inputs are borrowed; every tensor that a function returns is a new handle that the caller releases,
 * results of in-place operators included. */
#ifndef VISSL_TENSOR_H
#define VISSL_TENSOR_H
#include <vissl/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_TENSOR_ID "vissl.tensor/1"

typedef struct vissl_tensor vissl_tensor;
typedef struct vissl_tensor_list vissl_tensor_list; /* a list of unknown length that an operator returned */
typedef struct vissl_generator vissl_generator;     /* borrowed random generator of a device */
typedef struct vissl_op vissl_op;                   /* a resolved operator; lives until the process ends */

/* A tagged value of 16 bytes. Lists hold `count` elements at the pointer, borrowed. */
#define VISSL_T_NONE 0u
#define VISSL_T_TENSOR 1u        /* as.tensor; a result: owned */
#define VISSL_T_INT 2u           /* as.i: int, SymInt, Scalar */
#define VISSL_T_DOUBLE 3u        /* as.d: float, Scalar */
#define VISSL_T_BOOL 4u          /* as.i: 0 or 1; bool, Scalar */
#define VISSL_T_STRING 5u        /* as.s with count = bytes */
#define VISSL_T_DTYPE 6u         /* as.i = vissl_dtype */
#define VISSL_T_DEVICE 7u        /* as.i = VISSL_DEVICE(type, index) */
#define VISSL_T_LAYOUT 8u        /* as.i = torch's Layout number, 0 = strided */
#define VISSL_T_MEMORY_FORMAT 9u /* as.i = torch's MemoryFormat number: 0 contiguous, 1 preserve, 2 channels_last */
#define VISSL_T_GENERATOR 10u    /* as.generator */
#define VISSL_T_INT_LIST 11u     /* as.ints */
#define VISSL_T_DOUBLE_LIST 12u  /* as.doubles */
#define VISSL_T_BOOL_LIST 13u    /* as.bools, one byte each */
#define VISSL_T_TENSOR_LIST 14u  /* as.tensors; NULL elements where the schema has Tensor?[] */
#define VISSL_T_LIST_HANDLE 15u  /* result only: as.list, owned; read with list_size, list_get, released with list_release */

typedef struct vissl_arg {
  uint32_t tag;
  uint32_t count;
  union {
    int64_t i;
    double d;
    const char* s;
    vissl_tensor* tensor;
    vissl_generator* generator;
    const int64_t* ints;
    const double* doubles;
    const uint8_t* bools;
    vissl_tensor* const* tensors;
    vissl_tensor_list* list;
  } as;
} vissl_arg;

#define VISSL_DEVICE_CPU 0
#define VISSL_DEVICE_CUDA 1
#define VISSL_DEVICE(type, index) (((int64_t)(type) << 32) | (uint32_t)(index))

typedef struct vissl_tensor_info {
  uint64_t size; /* set by the caller */
  vissl_dtype dtype;
  uint32_t ndim;
  const int64_t* sizes;   /* borrowed, valid while the tensor lives and is not resized */
  const int64_t* strides; /* in elements */
  int64_t numel;
  int64_t device; /* VISSL_DEVICE(…) */
  uint32_t requires_grad;
  uint32_t is_contiguous;
  void* data; /* first element; CPU memory only for CPU tensors */
} vissl_tensor_info;

typedef struct vissl_tensor_api {
  uint64_t size;
  /* Resolves "aten::matmul" + overload "" once. `schema` is the schema the plugin was written for, or empty; when
   * libtorch's has changed the host adapts the operators of the SDK's table, others fail here and not in step 40000. */
  vissl_status (*op_find)(vissl_str name, vissl_str overload, vissl_str schema, const vissl_op** op, vissl_err* err);
  /* Calls with positional arguments; trailing arguments that have a default may be left out. Writes up to
   * `result_capacity` results and their true number. Text of libtorch's error comes through. */
  vissl_status (*op_call)(const vissl_op* op, const vissl_arg* args, uint64_t arg_count, vissl_arg* results,
                          uint64_t result_capacity, uint64_t* result_count, vissl_err* err);
  vissl_tensor* (*retain)(vissl_tensor* t); /* a second handle of the same tensor */
  void (*release)(vissl_tensor* t);         /* NULL allowed */
  vissl_status (*info)(vissl_tensor* t, vissl_tensor_info* out, vissl_err* err);
  /* A new CPU tensor with a copy of `array`. */
  vissl_status (*from_array)(const vissl_array* array, vissl_tensor** out, vissl_err* err);
  /* Copies all elements in row-major order to CPU memory of exactly `bytes`, converted to `dtype`. Waits for the device. */
  vissl_status (*to_memory)(vissl_tensor* t, vissl_dtype dtype, void* data, uint64_t bytes, vissl_err* err);
  uint64_t (*list_size)(vissl_tensor_list* list);
  vissl_tensor* (*list_get)(vissl_tensor_list* list, uint64_t i); /* a new handle */
  void (*list_release)(vissl_tensor_list* list);
  /* Grad mode and autocast of this thread; each returns the previous value (0 or 1) to be set back by the caller. */
  int32_t (*set_grad_enabled)(int32_t on);
  int32_t (*set_autocast_enabled)(int32_t on); /* off keeps it off; on restores what the run configured */
  /* The generator of the model's device that belongs to the current context; borrowed. */
  vissl_generator* (*generator)(void);
  vissl_status (*set_requires_grad)(vissl_tensor* t, int32_t on, vissl_err* err);
  /* Batch norm of the host (weight, bias, running_mean, running_var may be NULL), so that synchronised statistics and
   * recomputation are settings that no trunk knows. x: (N, C, ...). Updates num_batches_tracked when given. */
  vissl_status (*batch_norm)(vissl_tensor* x, vissl_tensor* weight, vissl_tensor* bias, vissl_tensor* running_mean,
                             vissl_tensor* running_var, vissl_tensor* num_batches_tracked, int32_t training,
                             double momentum, double eps, vissl_tensor** out, vissl_err* err);
  /* torch's `t.data = source`: `t` takes the memory, shape and type of `source` and stays the same object, so that every handle of
   * it sees the change. Not recorded by autograd; a graph that saved `t` before must not be run backward after. [main], [engine] */
  vissl_status (*set_data)(vissl_tensor* t, vissl_tensor* source, vissl_err* err);
} vissl_tensor_api;

#ifdef __cplusplus
}
#endif
#endif
