/* vissl.batch/1: a batch under construction. A field is a name plus an element number: most fields have the element 0 only,
 * the multi-crop collator has one element per crop. `layout` of a collator adds fields; `place` writes the rows of one sample
 * from any worker as that sample finishes; `finish` runs once when all rows are there. [worker] */
#ifndef VISSL_BATCH_H
#define VISSL_BATCH_H
#include <vissl/sample.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_BATCH_ID "vissl.batch/1"

typedef struct vissl_batch vissl_batch;

typedef struct vissl_batch_api {
  uint64_t size;
  /* Adds an element of a field in `layout` or `finish`; shape[0] counts rows. Memory starts undefined. `nested` = 1 makes the field a list
   * inside a one-element list, as VISSL's multi-crop batches are; the model then sees a list of tensors. */
  vissl_status (*add)(vissl_batch* b, vissl_str name, vissl_dtype dtype, uint32_t ndim, const int64_t* shape,
                      uint32_t nested, vissl_err* err);
  uint64_t (*element_count)(const vissl_batch* b, vissl_str name);
  vissl_status (*array)(vissl_batch* b, vissl_str name, uint64_t element, vissl_array* out, vissl_err* err); /* data is writable */
  /* Writes an image into a row of an F32 (C, H, W) or U8 (H, W, C) element; pending tables are applied on the way. Sizes must match. */
  vissl_status (*write_image)(vissl_batch* b, vissl_str name, uint64_t element, int64_t row, vissl_image* image, vissl_err* err);
  /* Writes an array into a row, converted to the element's dtype; scalars fill a row of shape (). */
  vissl_status (*write_array)(vissl_batch* b, vissl_str name, uint64_t element, int64_t row, const vissl_array* array, vissl_err* err);
  /* Random stream of the collator for this batch: (seed, train phase, batch number). */
  void (*rng)(const vissl_batch* b, vissl_rng* out);
} vissl_batch_api;

#ifdef __cplusplus
}
#endif
#endif
