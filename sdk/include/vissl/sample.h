/* vissl.sample/1: what runs through the transforms: an ordered map key -> list of entries. VISSL's item has the lists
 * "data" (images), "label", "data_valid", "data_idx" (arrays) with one entry per source, later one per view. [worker] */
#ifndef VISSL_SAMPLE_H
#define VISSL_SAMPLE_H
#include <vissl/image.h>
#include <vissl/rng.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_SAMPLE_ID "vissl.sample/1"

typedef struct vissl_sample vissl_sample;

typedef struct vissl_sample_api {
  uint64_t size;
  uint64_t (*key_count)(const vissl_sample* s);
  vissl_str (*key_at)(const vissl_sample* s, uint64_t i);
  uint64_t (*entry_count)(const vissl_sample* s, vissl_str key); /* 0 when the key is absent */
  /* The image of an entry, or NULL when it is an array. Borrowed, may be changed. */
  vissl_image* (*image)(vissl_sample* s, vissl_str key, uint64_t i);
  /* The array of an entry (borrowed until it is replaced); fails for images. */
  vissl_status (*array)(const vissl_sample* s, vissl_str key, uint64_t i, vissl_array* out, vissl_err* err);
  /* Replaces entry i, or appends when i equals the count. The array is copied. */
  vissl_status (*set_array)(vissl_sample* s, vissl_str key, uint64_t i, const vissl_array* array, vissl_err* err);
  /* Appends an empty image entry and returns it (borrowed). */
  vissl_status (*add_image)(vissl_sample* s, vissl_str key, vissl_image** out, vissl_err* err);
  /* Copying transforms: entry i of every list of the sample is repeated times[i] times, in place; pixels stay shared. */
  vissl_status (*repeat)(vissl_sample* s, const uint64_t* times, uint64_t count, vissl_err* err);
  vissl_status (*remove)(vissl_sample* s, vissl_str key, vissl_err* err);
  /* Random stream of view `view` of this sample for the transform that is running: the same draws whatever the number of
   * workers (rng.h: seed, train phase, sample index, occurrence, view, position of the transform). */
  void (*rng)(const vissl_sample* s, uint64_t view, vissl_rng* out);
  int64_t (*index)(const vissl_sample* s); /* position in the dataset */
} vissl_sample_api;

#ifdef __cplusplus
}
#endif
#endif
