/* Extension "vissl.events/1": a component of any kind that wants to act between the parts of a step offers it on its own instances.
 * Order at each event: loss, optimizer, trunk, heads, host, then `hooks = […]` of the config, then an engine that trains. Instances
 * inside twins get none. With accumulate_batches of n a step has n batches: FORWARD and LOSS_AND_METER come once per batch, BACKWARD,
 * UPDATE and STEP once per step. [main] */
#ifndef VISSL_EVENTS_H
#define VISSL_EVENTS_H
#include <vissl/run.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_EVENTS_ID "vissl.events/1"

#define VISSL_EVENT_START 0u          /* model, optimizer and checkpoint are ready */
#define VISSL_EVENT_PHASE_START 1u
#define VISSL_EVENT_FORWARD 2u        /* after the model's forward, before the loss */
#define VISSL_EVENT_LOSS_AND_METER 3u
#define VISSL_EVENT_BACKWARD 4u       /* gradients are complete, reduced and unscaled */
#define VISSL_EVENT_UPDATE 5u         /* after the optimizer step, also when fp16's loss scaling left it out */
#define VISSL_EVENT_STEP 6u           /* end of a step of any phase, counters advanced */
#define VISSL_EVENT_PHASE_END 7u
#define VISSL_EVENT_END 8u
#define VISSL_EVENT_EXCEPTION 9u      /* the run is failing; errors of this handler are only logged */
#define VISSL_EVENT_COUNT 10u

typedef struct vissl_events_class {
  uint64_t size;
  uint64_t mask; /* bit 1 << VISSL_EVENT_… for each event that is wanted */
  vissl_status (*on_event)(void* instance, uint32_t event, vissl_run* run, vissl_err* err);
} vissl_events_class;

#ifdef __cplusplus
}
#endif
#endif
