/* Kind optimizer, interface "vissl.optimizer/1", and kind param_groups, interface "vissl.param_groups/1". State tensors are owned
 * by the host under torch's names, so checkpoints look like torch's optimizer.state_dict(). [main] */
#ifndef VISSL_OPTIMIZER_H
#define VISSL_OPTIMIZER_H
#include <vissl/run.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_OPTIMIZER_ID "vissl.optimizer/1"
#define VISSL_PARAM_GROUPS_ID "vissl.param_groups/1"

typedef struct vissl_opt_param {
  uint64_t size;
  vissl_str name;
  vissl_tensor* param; /* borrowed */
  vissl_tensor* grad;  /* borrowed; parameters without gradient are left out of the step */
  uint32_t role, module, tags;
  int32_t depth;
  uint64_t id; /* for `state`: the same in every step and after a resume */
} vissl_opt_param;

typedef struct vissl_opt_group {
  uint64_t size;
  vissl_str name;
  const vissl_opt_param* params;
  uint64_t param_count;
  const double* hyper; /* values in the order of the class's hyper_name */
} vissl_opt_group;

/* Services of a step. */
typedef struct vissl_opt_call vissl_opt_call;
struct vissl_opt_call {
  uint64_t size;
  const vissl_opt_group* groups;
  uint64_t group_count;
  void* self;
  /* State tensor of a parameter by torch's name ("momentum_buffer", "exp_avg"); NULL when it does not exist yet. Borrowed. */
  vissl_tensor* (*state)(void* self, uint64_t param_id, vissl_str name);
  /* Stores (or replaces) a state tensor; the host keeps its own reference. */
  vissl_status (*set_state)(void* self, uint64_t param_id, vissl_str name, vissl_tensor* t, vissl_err* err);
  /* L2 norms of whole parameters or gradients, also when they are sharded: one f32 tensor of shape (count). Owned. */
  vissl_status (*norms)(void* self, vissl_tensor* const* tensors, uint64_t count, vissl_tensor** out, vissl_err* err);
};

typedef struct vissl_optimizer_class {
  uint64_t size;
  vissl_status (*create)(const vissl_value* config, void** instance, vissl_err* err);
  void (*destroy)(void* instance);
  /* Hyper-parameters that schedules and groups may set, "lr" first; default NaN = must come from a schedule. */
  uint64_t (*hyper_count)(void* instance);
  vissl_str (*hyper_name)(void* instance, uint64_t i);
  double (*hyper_default)(void* instance, uint64_t i);
  vissl_status (*step)(void* instance, const vissl_opt_call* call, vissl_err* err); /* grad mode is off */
  /* What else torch's optimizer keeps in each of its parameter groups, as a JSON object: {"dampening": 0, "nesterov": false, "foreach":
   * null, "betas": [0.9, 0.999]}. Goes into checkpoints, so that torch's can go on with them; never read back. May be NULL. */
  vissl_status (*group_constants)(void* instance, const vissl_out* json, vissl_err* err);
} vissl_optimizer_class;

/* Receives the groups. A hyper-parameter of a group is a constant, or follows a schedule of optimizer.param_schedulers, by default
 * the one of its own name. */
typedef struct vissl_group_sink {
  uint64_t size;
  void* self;
  uint64_t (*add)(void* self, vissl_str name); /* returns the group's number */
  void (*constant)(void* self, uint64_t group, vissl_str hyper, double value);
  void (*schedule)(void* self, uint64_t group, vissl_str hyper, vissl_str schedule, double factor);
  void (*assign)(void* self, uint64_t param, uint64_t group); /* a parameter without group is not trained */
} vissl_group_sink;

typedef struct vissl_param_groups_class {
  uint64_t size;
  vissl_status (*create)(const vissl_value* config, void** instance, vissl_err* err);
  void (*destroy)(void* instance);
  vissl_status (*assign)(void* instance, const vissl_param_info* params, uint64_t count, const vissl_value* optimizer_config,
                         const vissl_group_sink* sink, vissl_err* err);
} vissl_param_groups_class;

#ifdef __cplusplus
}
#endif
#endif
