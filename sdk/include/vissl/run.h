/* vissl.run/1: what losses, hooks, events and engines see of a run, and may do. A vissl_run* is valid from build to end. [main] */
#ifndef VISSL_RUN_H
#define VISSL_RUN_H
#include <vissl/model.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_RUN_ID "vissl.run/1"

typedef struct vissl_run vissl_run;

/* Known at build, fixed for the run. */
typedef struct vissl_run_facts {
  uint64_t size;
  uint64_t seed; /* seed_value */
  int64_t rank, world;
  int64_t batch_size;            /* per rank, of the train split (test split when there is no training) */
  int64_t train_length;          /* samples, 0 without a train split */
  int64_t test_length;
  int64_t iterations_per_epoch;  /* train batches per phase of one rank */
  int64_t epochs;
  int64_t input_channels;        /* 3, or 1 for "lab" */
  vissl_str checkpoint_dir;
} vissl_run_facts;

/* VISSL's counters (reference: engine, phases and counters). */
typedef struct vissl_counters {
  uint64_t size; /* set by the caller */
  int64_t phase_idx, train_phase_idx;
  int64_t iteration;       /* completed train steps */
  int64_t local_iteration; /* of this process and phase kind mix, as VISSL counts it */
  int64_t num_updates;     /* samples seen by the optimizer, all ranks */
  int64_t max_iteration;
  double where; /* progress in [0, 1) */
  uint32_t training;
} vissl_counters;

typedef struct vissl_param_info {
  uint64_t size; /* set by the caller */
  vissl_str name; /* "trunk._feature_blocks.conv1.weight"; borrowed for the run */
  vissl_tensor* tensor; /* borrowed */
  uint32_t role, module, tags;
  int32_t depth;
  uint32_t trainable;
} vissl_param_info;

/* One batch of a pass: features or outputs of the model, and where the samples come from. Borrowed during the call. */
typedef struct vissl_pass_batch {
  uint64_t size;
  vissl_tensor* const* outputs; /* in the order of the names asked for */
  uint64_t output_count;
  const int64_t* indices; /* dataset positions, one per row */
  const int64_t* labels;  /* class per row, NULL when the split has none */
  uint64_t rows;          /* samples; outputs of batches with several views have a multiple of it, in the collator's order */
  const void* self;
  /* A field of the batch ("data", "label", "mask"), element i of its list; NULL = absent. Borrowed during the call. */
  vissl_tensor* (*field)(const void* self, vissl_str name, uint64_t element);
} vissl_pass_batch;
typedef vissl_status (*vissl_pass_fn)(void* ctx, const vissl_pass_batch* batch, vissl_err* err);

#define VISSL_PASS_EACH_ONCE 0u   /* every sample once, in dataset order within a rank; rank r has positions r, r + world, … */
#define VISSL_PASS_AS_TRAINING 1u /* the batches that training of epoch `epoch` gets: shuffled, augmented, with drop_last */

typedef struct vissl_pass {
  uint64_t size;
  vissl_str split;           /* "train", "test", "probe": a table of [data] */
  vissl_model* model;        /* NULL = the run's model */
  const vissl_str* features; /* trunk features; "heads" = outputs of the heads, "input" = the batch itself as (B, -1) */
  uint64_t feature_count;
  uint32_t training_mode; /* 0 = eval mode, no grad */
  vissl_pass_fn on_batch; /* in a run that trains, a stop signal is obeyed after the pass; else it ends the pass */
  void* ctx;
  uint32_t order; /* VISSL_PASS_… */
  int64_t epoch;  /* with AS_TRAINING: the number that the sampler and the random streams get, from 0 */
  int64_t max_batches; /* of this rank; 0 = all */
} vissl_pass;

/* Receives one value of a meter: `path` is meter, metric and output, {"accuracy_list_meter", "top_1", "res5"}, and the number of
 * the element where outputs of equal name share a list. Borrowed during the call. */
typedef void (*vissl_metric_fn)(void* ctx, const vissl_str* path, uint64_t depth, double value);

/* What is left after `train`. */
#define VISSL_TRAIN_DONE 0u /* all phases are over */
#define VISSL_TRAIN_MORE 1u
#define VISSL_TRAIN_STOP 2u /* a signal or `stop`: the state is saved, the engine returns at once */

#define VISSL_LOG_DEBUG 0u
#define VISSL_LOG_INFO 1u
#define VISSL_LOG_WARNING 2u
#define VISSL_LOG_ERROR 3u

typedef struct vissl_run_api {
  uint64_t size;
  void (*facts)(vissl_run* run, vissl_run_facts* out); /* out->size set by the caller */
  void (*counters)(vissl_run* run, vissl_counters* out);
  const vissl_value* (*config)(vissl_run* run); /* the whole resolved config */
  vissl_model* (*model)(vissl_run* run);

  /* The step: valid from FORWARD to STEP events and inside loss forward. Handles are borrowed; set keeps its own reference. */
  uint64_t (*output_count)(vissl_run* run);
  vissl_tensor* (*output)(vissl_run* run, uint64_t i);
  vissl_status (*set_output)(vissl_run* run, uint64_t i, vissl_tensor* t, vissl_err* err);
  /* The step record: the batch's fields by name ("data", "label", "data_idx", "data_momentum" …; element i of its list), and what one
   * component leaves for another. NULL = absent. */
  vissl_tensor* (*record)(vissl_run* run, vissl_str name, uint64_t element);
  vissl_status (*set_record)(vissl_run* run, vissl_str name, vissl_tensor* t, vissl_err* err);
  vissl_tensor* (*loss)(vissl_run* run); /* NULL before the loss is computed */
  /* A named value beside the loss: averaged over the ranks, logged as "loss.<name>" at the logged steps. */
  vissl_status (*loss_value)(vissl_run* run, vissl_str name, vissl_tensor* value, vissl_err* err);
  /* An extra number in the log line and stdout.json of this step, e.g. "teacher_momentum". */
  void (*log_extra)(vissl_run* run, vissl_str name, double value);

  /* Parameters of the model in store order, then those of the loss ("loss.<name>"). */
  uint64_t (*param_count)(vissl_run* run);
  vissl_status (*param)(vissl_run* run, uint64_t i, vissl_param_info* out, vissl_err* err);
  vissl_tensor* (*grad)(vissl_run* run, uint64_t i); /* borrowed, NULL = none; already divided by the loss scale */
  vissl_status (*drop_grad)(vissl_run* run, uint64_t i, vissl_err* err);
  /* Clips the gradients of the model to a total norm (norm_type 2, 1 or INFINITY); writes the norm before clipping. */
  vissl_status (*clip_grads)(vissl_run* run, double max_norm, double norm_type, double* total, vissl_err* err);

  /* Sinks: TensorBoard event file and CSV of rank 0; other ranks' calls do nothing. */
  vissl_status (*scalar)(vissl_run* run, vissl_str tag, double value, int64_t step, vissl_err* err);
  vissl_status (*histogram)(vissl_run* run, vissl_str tag, vissl_tensor* values, int64_t step, vissl_err* err);
  vissl_status (*image_png)(vissl_run* run, vissl_str tag, const void* png, uint64_t bytes, int64_t step, vissl_err* err);
  vissl_status (*text)(vissl_run* run, vissl_str tag, vissl_str text, int64_t step, vissl_err* err);
  void (*log)(vissl_run* run, uint32_t level, vissl_str text);
  /* A value of summary.json, written when the run ends. */
  void (*summary)(vissl_run* run, vissl_str key, double value);

  /* Datasets by split name. */
  int64_t (*split_length)(vissl_run* run, vissl_str split); /* -1 = no such split */
  vissl_status (*split_label)(vissl_run* run, vissl_str split, int64_t index, vissl_array* out, vissl_err* err);
  vissl_str (*split_path)(vissl_run* run, vissl_str split, int64_t index);
  vissl_status (*pass)(vissl_run* run, const vissl_pass* pass, vissl_err* err);

  vissl_status (*save)(vissl_run* run, vissl_err* err);              /* a checkpoint at the end of this step */
  void (*stop)(vissl_run* run, int32_t exit_code, vissl_str reason); /* ends the run after this step; 0 = as if it were done */

  /* The values of a hyper-parameter in the last step ("lr"): the distinct ones in the order of the groups, of which at most
   * `capacity` are written. Returns how many there are; 0 = no such hyper-parameter, or nothing is trained. */
  uint64_t (*hyper)(vissl_run* run, vissl_str name, double* values, uint64_t capacity);
  /* The values of all meters over the phase so far; over all ranks at PHASE_END. */
  vissl_status (*metrics)(vissl_run* run, vissl_metric_fn on_value, void* ctx, vissl_err* err);

  /* Elements of a field of the step record, 0 = absent: crops of "data". */
  uint64_t (*record_count)(vissl_run* run, vissl_str name);
  /* The step's batch through another model, with the run's input keys, mapping and extra inputs. `with_grad` and `mode` as in
   * vissl_model_input. Outputs as the run's model gives them. */
  vissl_status (*forward_step)(vissl_run* run, vissl_model* model, uint32_t with_grad, uint32_t mode, const vissl_tensor_sink* outputs,
                               vissl_err* err);
  /* The loss's scope of parameters and buffers; NULL in a run without a loss. */
  vissl_store* (*loss_store)(vissl_run* run);
  /* A value beside the meters': `json` is an object such as {"top_1": {"res5": 75.6}}. At PHASE_END it becomes an entry of the
   * phase's line in metrics.json and metrics.csv, at other times a line of its own. */
  vissl_status (*phase_metric)(vissl_run* run, vissl_str name, vissl_str json, vissl_err* err);
  /* Multiplies a hyper-parameter of all groups from the next optimizer step on, after schedules; 1 = as scheduled. Not saved: who sets
   * it sets it again in START. */
  vissl_status (*scale_hyper)(vissl_run* run, vissl_str name, double factor, vissl_err* err);
  /* For engines with VISSL_ENGINE_TRAINS: the next `phases` phases (train or test) of the run with its steps, events, logs and
   * checkpoints; 0 = all that are left. A resumed run begins with the phase that the checkpoint is in; what an engine did between two
   * phases is not repeated. Writes VISSL_TRAIN_…. */
  vissl_status (*train)(vissl_run* run, int64_t phases, uint32_t* state, vissl_err* err);
} vissl_run_api;

#ifdef __cplusplus
}
#endif
#endif
