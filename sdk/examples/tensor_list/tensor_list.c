/* tensor_list: a format of weights that any program can write. A header in text, then the elements:
 *
 *     TENSORS 1\n
 *     # trained by hand\n                 a comment, shown by `vissl-host inspect`
 *     f32 64 3 7 7 conv1.weight\n         type, sizes and name, in the order of the elements
 *     i64 bn1.num_batches_tracked\n       no size: a scalar
 *     \n                                  an empty line ends the header
 *     <the elements of each tensor, row-major and little-endian, without gaps>
 *
 * The whole plugin in C11 and the ABI's headers alone, as in ../cutout, which explains the frame.
 * The host maps the file and reads only the elements that are used, so there is no `read` here. */
#include <vissl/abi.h>
#include <vissl/weights_format.h>

#include <stdint.h>
#include <string.h>

#define MAGIC "TENSORS 1\n"

static vissl_str text(const char* zero_terminated) {
  const vissl_str s = {zero_terminated, strlen(zero_terminated)};
  return s;
}

static vissl_status refuse(vissl_err* err, vissl_status status, const char* why) {
  if (err != NULL) err->set(err, status, text(why));
  return status;
}

static vissl_status declare(vissl_decl* decl, const struct vissl_params_api* api, vissl_err* err) {
  (void)decl;
  (void)api;
  (void)err;
  return VISSL_OK; /* no parameters */
}

/* Instances have no state: all are this one. */
static vissl_status create(const vissl_value* config, void** instance, vissl_err* err) {
  static char only;
  (void)config;
  (void)err;
  *instance = &only;
  return VISSL_OK;
}

static void destroy(void* instance) {
  (void)instance;
}

static vissl_status recognise(void* instance, const vissl_weights_bytes* file, uint32_t* is_known,
                              vissl_err* err) {
  (void)instance;
  (void)err;
  *is_known = file->count >= strlen(MAGIC) && memcmp(file->data, MAGIC, strlen(MAGIC)) == 0 ? 1 : 0;
  return VISSL_OK;
}

static const struct {
  const char* name;
  vissl_dtype dtype;
  uint64_t bytes; /* of one element */
} kTypes[] = {{"f32", VISSL_F32, 4},   {"f64", VISSL_F64, 8}, {"f16", VISSL_F16, 2},
              {"bf16", VISSL_BF16, 2}, {"i64", VISSL_I64, 8}, {"u8", VISSL_U8, 1}};

/* The word that begins at `at`, up to a space or the line's end. */
static vissl_str word(const char* at, const char* end) {
  const char* stop = at;
  while (stop != end && *stop != ' ') ++stop;
  const vissl_str found = {at, (uint64_t)(stop - at)};
  return found;
}

static int same(vissl_str a, const char* b) {
  return a.size == strlen(b) && memcmp(a.data, b, (size_t)a.size) == 0;
}

/* A size of a tensor: digits alone. Nothing for a name, which does not begin with one. */
static int size_in(vissl_str digits, int64_t* size) {
  *size = 0;
  if (digits.size == 0 || digits.size > 15) return 0; /* cannot overflow */
  for (uint64_t i = 0; i < digits.size; ++i) {
    if (digits.data[i] < '0' || digits.data[i] > '9') return 0;
    *size = *size * 10 + (digits.data[i] - '0');
  }
  return 1;
}

/* "f32 64 3 7 7 conv1.weight" becomes a tensor; its elements take `bytes`. */
static const char* parse(const char* at, const char* end, vissl_weights_tensor* tensor,
                         uint64_t* bytes) {
  const vissl_str type = word(at, end);
  tensor->dtype = -1;
  for (size_t i = 0; i < sizeof kTypes / sizeof kTypes[0]; ++i) {
    if (!same(type, kTypes[i].name)) continue;
    tensor->dtype = kTypes[i].dtype;
    *bytes = kTypes[i].bytes;
  }
  if (tensor->dtype == -1)
    return "has a line that does not begin with f32, f64, f16, bf16, i64 or u8";
  at = type.data + type.size;
  int64_t size;
  while (at != end && size_in(word(at + 1, end), &size)) {
    if (tensor->ndim == 8) return "has a tensor with more than 8 sizes";
    if (size != 0 && *bytes > (UINT64_MAX >> 1) / (uint64_t)size)
      return "has a tensor with more elements than can be counted";
    tensor->shape[tensor->ndim++] = size;
    *bytes *= (uint64_t)size;
    const vissl_str digits = word(at + 1, end);
    at = digits.data + digits.size;
  }
  if (at == end) return "has a line without a name";
  tensor->name.data = at + 1;
  tensor->name.size = (uint64_t)(end - at - 1);
  return NULL;
}

/* The host checks names, and that the elements lie inside the file. */
static vissl_status open_file(void* instance, const vissl_weights_bytes* file,
                              const vissl_weights_tensor_sink* sink, void** opened,
                              vissl_err* err) {
  (void)instance;
  *opened = NULL;
  const char* const begin = (const char*)file->data;
  const char* const end = begin + file->count;
  const char* const lines = begin + strlen(MAGIC);
  /* The elements begin behind the header's last line, so that is looked for first. */
  const char* body = lines;
  for (;;) {
    const char* stop = memchr(body, '\n', (size_t)(end - body));
    if (stop == NULL) return refuse(err, VISSL_E_DATA, "ends inside its header; use another copy");
    if (stop == body) break;
    body = stop + 1;
  }
  uint64_t offset = (uint64_t)(body + 1 - begin);
  for (const char* line = lines; line != body;) {
    const char* stop = memchr(line, '\n', (size_t)(end - line));
    if (*line == '#') {
      const vissl_str comment = {line + 1, (uint64_t)(stop - line - 1)};
      sink->metadata(sink->self, text("comment"), comment);
    } else {
      vissl_weights_tensor tensor = {.size = sizeof tensor, .offset = offset};
      uint64_t bytes = 0;
      const char* wrong = parse(line, stop, &tensor, &bytes);
      if (wrong != NULL) return refuse(err, VISSL_E_DATA, wrong);
      const vissl_status status = sink->tensor(sink->self, &tensor);
      if (status != VISSL_OK) return status; /* the host knows why */
      offset += bytes;                       /* not beyond the file: the host has just checked it */
    }
    line = stop + 1;
  }
  return VISSL_OK;
}

/* For check-plugin. */
static vissl_status sample(void* instance, const vissl_out* out, vissl_err* err) {
  static const char file[] = MAGIC
      "# a sample\nf32 2 2 weight\nu8 flag\n\n"
      "\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40\0\0\x80\x40"
      "\1";
  (void)instance;
  for (uint64_t at = 0; at < sizeof file - 1;) {
    const uint64_t taken = out->write(out->self, file + at, sizeof file - 1 - at);
    if (taken == 0) return refuse(err, VISSL_E_FAILED, "the sample could not be written");
    at += taken;
  }
  return VISSL_OK;
}

static const vissl_weights_format_class table = {sizeof table, create, destroy, recognise,
                                                 open_file,    NULL,   NULL,    sample};

/* What discovery reads from the file without loading it (abi.h). */
#define META __attribute__((section(VISSL_META_SECTION), used, aligned(1)))
static const char component_meta[] META =
    "weights_format/tensor_list/A header in text, then the elements.";
static const char plugin_meta[] META = "plugin/example.tensor_list/1.0.0/1.0";

static const vissl_component component = {sizeof component, component_meta, VISSL_WEIGHTS_FORMAT_ID,
                                          &table,           declare,        NULL};
static const vissl_component* const components[] = {&component};

static vissl_status init(const vissl_host* from, vissl_err* err) {
  if (from->abi_major != VISSL_ABI_MAJOR)
    return refuse(err, VISSL_E_PLUGIN, "tensor_list is built for ABI 1");
  return VISSL_OK;
}

static const void* no_interface(vissl_str id) {
  (void)id;
  return NULL;
}

/* The reference to plugin_meta keeps the text through the linker's --gc-sections. */
static const struct {
  vissl_plugin plugin;
  const char* meta;
} plugin = {{sizeof(vissl_plugin), VISSL_ABI_MAJOR, VISSL_ABI_MINOR, "example.tensor_list", "1.0.0",
             init, no_interface, components, components + 1},
            plugin_meta};

__attribute__((visibility("default"))) const vissl_plugin* vissl_plugin_entry_v1(void);
const vissl_plugin* vissl_plugin_entry_v1(void) {
  return &plugin.plugin;
}
