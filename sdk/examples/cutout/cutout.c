/* Cutout (DeVries & Taylor, arXiv:1708.04552, section 3): sets one random square of the image to a
 * gray value. The whole plugin in C11 and the ABI's headers alone: what the C++ layer's macros
 * generate is written out here, for C and as a map for other languages. The square's centre is
 * uniform over the image, so that it may be cut off at the border, as in the paper.
 *
 * The data path calls it with 8-bit images: put it before ToTensor. */
#include <vissl/params.h>
#include <vissl/transform.h>

#include <stdlib.h>
#include <string.h>

static const vissl_host* host; /* kept by init; lives until the process ends */

static vissl_str text(const char* zero_terminated) {
  const vissl_str s = {zero_terminated, strlen(zero_terminated)};
  return s;
}

static vissl_status refuse(vissl_err* err, vissl_status status, const char* why) {
  if (err != NULL) err->set(err, status, text(why));
  return status;
}

/* A service may be missing, or older and shorter than these headers. */
static const void* service(const char* id, uint64_t size) {
  const uint64_t* table = host->get_service(host, text(id)); /* every table begins with its size */
  return table != NULL && *table >= size ? table : NULL;
}

typedef struct cutout {
  const vissl_image_api* images;
  int64_t size; /* pixels */
  double p;
  uint8_t gray;
} cutout;

static vissl_status declare(vissl_decl* decl, const vissl_params_api* api, vissl_err* err) {
  vissl_param size = {
      .size = sizeof size, .type = VISSL_P_INT, .flags = VISSL_P_REQUIRED, .min = 1, .max = 1e6};
  size.name = text("size");
  size.doc = text("Side of the square in pixels.");
  vissl_param p = {.size = sizeof p, .type = VISSL_P_NUMBER, .min = 0, .max = 1};
  p.name = text("p");
  p.default_toml = text("1.0");
  p.doc = text("Probability of a square.");
  vissl_param gray = {.size = sizeof gray, .type = VISSL_P_INT, .min = 0, .max = 255};
  gray.name = text("gray");
  gray.default_toml = text("0");
  gray.doc = text("Value of its pixels.");
  vissl_status status = api->add(decl, &size, err);
  if (status == VISSL_OK) status = api->add(decl, &p, err);
  if (status == VISSL_OK) status = api->add(decl, &gray, err);
  return status;
}

/* The host has checked the config against `declare`: names, types, bounds, defaults. */
static vissl_status create(const vissl_value* config, void** instance, vissl_err* err) {
  const vissl_value_api* values = service(VISSL_VALUE_ID, sizeof(vissl_value_api));
  const vissl_image_api* images = service(VISSL_IMAGE_ID, sizeof(vissl_image_api));
  if (values == NULL || images == NULL)
    return refuse(err, VISSL_E_PLUGIN, "cutout needs a newer host");
  cutout* self = malloc(sizeof *self);
  if (self == NULL) return refuse(err, VISSL_E_FAILED, "out of memory");
  self->images = images;
  self->size = values->as_int(values->find(config, text("size")));
  self->p = values->as_number(values->find(config, text("p")));
  self->gray = (uint8_t)values->as_int(values->find(config, text("gray")));
  *instance = self;
  return VISSL_OK;
}

static void destroy(void* instance) {
  free(instance);
}

static int64_t clamp(int64_t x, int64_t low, int64_t high) {
  return x < low ? low : x > high ? high : x;
}

static vissl_status apply_image(void* instance, vissl_image* image, vissl_rng* rng,
                                vissl_err* err) {
  const cutout* self = instance;
  if (!vissl_rng_bernoulli(rng, self->p)) return VISSL_OK;
  vissl_image_info info = {.size = sizeof info};
  vissl_status status = self->images->info(image, &info, err);
  if (status != VISSL_OK) return status;
  if (info.is_float)
    return refuse(err, VISSL_E_CONFIG, "cutout works on 8-bit images: put it before ToTensor");
  void* data = NULL; /* (H, W, C) bytes, writable in place */
  status = self->images->edit(image, VISSL_LAYOUT_U8_HWC, &data, err);
  if (status != VISSL_OK) return status;
  const int64_t top = vissl_rng_randint(rng, 0, info.height) - self->size / 2;
  const int64_t left = vissl_rng_randint(rng, 0, info.width) - self->size / 2;
  const int64_t first = clamp(left, 0, info.width), last = clamp(left + self->size, 0, info.width);
  for (int64_t y = clamp(top, 0, info.height); y < clamp(top + self->size, 0, info.height); ++y)
    memset((uint8_t*)data + (y * info.width + first) * info.channels, self->gray,
           (size_t)((last - first) * info.channels));
  return VISSL_OK;
}

static const vissl_transform_class table = {sizeof table, create, destroy, apply_image, NULL};

/* What discovery reads from the file without loading it (abi.h). */
#define META __attribute__((section(VISSL_META_SECTION), used, aligned(1)))
static const char component_meta[] META =
    "transform/cutout/Sets a random square of the image to gray.";
static const char plugin_meta[] META = "plugin/example.cutout/1.0.0/1.0";

static const vissl_component component = {sizeof component, component_meta, VISSL_TRANSFORM_ID,
                                          &table,           declare,        NULL};
static const vissl_component* const components[] = {&component};

static vissl_status init(const vissl_host* from, vissl_err* err) {
  if (from->abi_major != VISSL_ABI_MAJOR)
    return refuse(err, VISSL_E_PLUGIN, "cutout is built for ABI 1");
  host = from;
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
} plugin = {{sizeof(vissl_plugin), VISSL_ABI_MAJOR, VISSL_ABI_MINOR, "example.cutout", "1.0.0",
             init, no_interface, components, components + 1},
            plugin_meta};

__attribute__((visibility("default"))) const vissl_plugin* vissl_plugin_entry_v1(void);
const vissl_plugin* vissl_plugin_entry_v1(void) {
  return &plugin.plugin;
}
