/* Kind data_source, interface "vissl.data_source/0": an immutable index shared by all workers and one reader per worker.
 * A source may give images, labels or both. */
#ifndef VISSL_DATA_SOURCE_H
#define VISSL_DATA_SOURCE_H
#include <vissl/image.h>
#include <vissl/value.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_DATA_SOURCE_ID "vissl.data_source/0"

typedef struct vissl_data_source_class {
  uint64_t size;
  vissl_status (*create)(const vissl_value* config, void** instance, vissl_err* err); /* [main] reads its config, nothing else */
  void (*destroy)(void* instance);                                                     /* [main] */
  /* Builds the index: scans folders, opens files. Missing or unreadable data: VISSL_E_DATA with the path. [main] */
  vissl_status (*open)(void* instance, vissl_err* err);
  int64_t (*length)(void* instance); /* [any] after open */
  /* The label of an element: scalar i64 for classes, i64 vector for multi-label. VISSL_E_UNSUPPORTED without labels. Borrowed
   * until destroy. [any] */
  vissl_status (*label)(void* instance, int64_t index, vissl_array* out, vissl_err* err);
  vissl_str (*path)(void* instance, int64_t index);   /* file name or "archive:123" for messages; borrowed until the next call of this thread [any] */
  int64_t (*class_count)(void* instance);             /* 0 = unknown [any] */
  vissl_str (*class_name)(void* instance, int64_t k); /* empty = none [any] */
  /* Readers: one per worker. NULL slots when the source gives labels only. */
  vissl_status (*reader_create)(void* instance, void** reader, vissl_err* err); /* [worker] */
  void (*reader_destroy)(void* reader);                                         /* [worker] */
  /* Fills the empty image with encoded bytes or pixels. An error text makes the sample a gray image with data_valid -1. [worker] */
  vissl_status (*read)(void* reader, int64_t index, vissl_image* image, vissl_err* err);
} vissl_data_source_class;

#ifdef __cplusplus
}
#endif
#endif
