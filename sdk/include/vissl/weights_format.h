/* Kind weights_format, interface "vissl.weights_format/0": a type of file that holds weights and that the host cannot read itself. Its own
 * readers come first; a file that none of them knows goes to the component that recognises it, whatever the file is called. Two that do
 * are an error. The tensors of the file then are as those of any other: for [model.weights_init], `inspect` and `convert`.
 * A config has no place for parameters of a format, so it declares none. */
#ifndef VISSL_WEIGHTS_FORMAT_H
#define VISSL_WEIGHTS_FORMAT_H
#include <vissl/value.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_WEIGHTS_FORMAT_ID "vissl.weights_format/0"

/* A file. Borrowed, and unchanged until `close`. */
typedef struct vissl_weights_bytes {
  uint64_t size;
  const unsigned char* data; /* the whole file, mapped read-only: what is not touched is not read from the disk */
  uint64_t count;            /* bytes of it */
  vissl_str path;            /* for files that lie beside it; empty = it is part of another file, e.g. of a zip */
} vissl_weights_bytes;

#define VISSL_WEIGHTS_NOT_IN_FILE 0xffffffffffffffffu /* as offset: the elements do not lie in the file as they are; `read` makes them */
#define VISSL_WEIGHTS_BIG_ENDIAN 1u                   /* flag: those in the file are in big-endian byte order; the host turns them */

/* One tensor of a file. The host checks all of it: names (UTF-8, not empty, each once), sizes, and that the elements lie inside the
 * file; so a reader may hand over what a damaged file says, and the error names file and tensor. */
typedef struct vissl_weights_tensor {
  uint64_t size;
  vissl_str name;    /* full dotted path in the file: "params.conv1.kernel" */
  vissl_dtype dtype; /* also torch's numbers that abi.h does not name: 23 float8_e5m2, 24 float8_e4m3fn, 27 uint16, 28 uint32, 29 uint64 */
  uint32_t ndim;     /* at most 8 */
  int64_t shape[8];  /* elements are in row-major order */
  uint64_t offset;   /* of the first element from the file's beginning, or VISSL_WEIGHTS_NOT_IN_FILE */
  uint64_t flags;    /* VISSL_WEIGHTS_BIG_ENDIAN or 0 */
} vissl_weights_tensor;

/* Takes what a file holds. Texts are copied. */
typedef struct vissl_weights_tensor_sink {
  uint64_t size;
  void* self;
  /* The tensor's number is how many came before it. Anything but VISSL_OK: return that from `open` at once; the host knows why. */
  vissl_status (*tensor)(void* self, const vissl_weights_tensor* tensor);
  void (*metadata)(void* self, vissl_str key, vissl_str value); /* shown by `inspect` */
  void (*warning)(void* self, vissl_str sentence);              /* without the file's name */
} vissl_weights_tensor_sink;

typedef struct vissl_weights_format_class {
  uint64_t size;
  vissl_status (*create)(const vissl_value* config, void** instance, vissl_err* err);
  void (*destroy)(void* instance);
  /* Writes 1 if the file is of this format, 0 otherwise: by its content alone, from a few bytes. They may be any, also none. A truncated
   * file is recognised as long as its beginning is there, so that `open` can say what is missing. [main] */
  vissl_status (*recognise)(void* instance, const vissl_weights_bytes* file, uint32_t* is_known, vissl_err* err);
  /* Called for files that `recognise` knows. Names every tensor, reading no elements. Writes what `read` and `close` get; NULL = they need
   * nothing. Whatever is wrong with the file is VISSL_E_DATA with a text such as "ends inside the tensor 'a' at byte 96"; the host puts
   * the file's name in front. [main] */
  vissl_status (*open)(void* instance, const vissl_weights_bytes* file, const vissl_weights_tensor_sink* sink, void** opened,
                       vissl_err* err);
  /* Writes all `bytes` of a tensor that is not in the file as it is, in this machine's byte order; the same bytes each time. Called for
   * the tensors that are used, when they are. NULL: there are none such. [any thread, one at a time] */
  vissl_status (*read)(void* opened, uint64_t tensor, void* data, uint64_t bytes, vissl_err* err);
  /* After every successful `open`; the last use of the file. NULL: nothing to do. [any thread] */
  void (*close)(void* opened);
  /* Writes a whole small file of the format with at least one tensor, for check-plugin, which reads it, cuts it and damages it. NULL:
   * those checks are left out. [main] */
  vissl_status (*sample)(void* instance, const vissl_out* out, vissl_err* err);
} vissl_weights_format_class;

#ifdef __cplusplus
}
#endif
#endif
