/* Inverts 8-bit images. Written against the C headers alone, without the SDK's macros. */
#include <stdlib.h>
#include <string.h>
#include <vissl/params.h>
#include <vissl/transform.h>

#define META(variable, text)   \
  static const char variable[] \
      __attribute__((section(VISSL_META_SECTION), used, retain, aligned(1))) = text

META(plugin_meta, "plugin/org.vissl.golden.transform/1.0.0/1.0");
META(invert_meta, "transform/golden_invert/Turns every byte b into strength - b.");

static const vissl_host* host;
static const vissl_image_api* images;
static const vissl_value_api* values;

static vissl_str text(const char* s) {
  const vissl_str out = {s, strlen(s)};
  return out;
}

typedef struct invert {
  int64_t strength;
} invert;

static vissl_status create(const vissl_value* config, void** instance, vissl_err* err) {
  invert* self = malloc(sizeof *self);
  if (self == NULL) {
    if (err != NULL) err->set(err, VISSL_E_FAILED, text("out of memory"));
    return VISSL_E_FAILED;
  }
  self->strength = values->as_int(values->find(config, text("strength")));
  *instance = self;
  return VISSL_OK;
}
static void destroy(void* instance) {
  free(instance);
}

static vissl_status apply_image(void* instance, vissl_image* image, vissl_rng* rng,
                                vissl_err* err) {
  const invert* self = instance;
  vissl_image_info info = {sizeof info, 0, 0, 0, 0};
  void* data = NULL;
  vissl_status status = images->info(image, &info, err);
  (void)rng;
  if (status == VISSL_OK) status = images->edit(image, VISSL_LAYOUT_U8_HWC, &data, err);
  if (status != VISSL_OK) return status;
  uint8_t* bytes = data;
  for (int64_t i = 0; i < info.width * info.height * info.channels; ++i)
    bytes[i] = (uint8_t)(self->strength - bytes[i]);
  return VISSL_OK;
}

static vissl_status declare(vissl_decl* decl, const vissl_params_api* api, vissl_err* err) {
  vissl_param strength;
  memset(&strength, 0, sizeof strength);
  strength.size = sizeof strength;
  strength.name = text("strength");
  strength.type = VISSL_P_INT;
  strength.default_toml = text("255");
  strength.min = 0;
  strength.max = 255;
  strength.doc = text("What black becomes.");
  return api->add(decl, &strength, err);
}

static const vissl_transform_class table = {sizeof table, create, destroy, apply_image, NULL};
static const vissl_component invert_component = {
    sizeof invert_component, invert_meta, VISSL_TRANSFORM_ID, &table, declare, NULL};
static const vissl_component* const components[] = {&invert_component};

static vissl_status init(const vissl_host* given, vissl_err* err) {
  host = given;
  images = host->get_service(host, text(VISSL_IMAGE_ID));
  values = host->get_service(host, text(VISSL_VALUE_ID));
  if (images != NULL && values != NULL) return VISSL_OK;
  if (err != NULL) err->set(err, VISSL_E_PLUGIN, text("the host has no images"));
  return VISSL_E_PLUGIN;
}
static const void* get_interface(vissl_str id) {
  (void)id;
  return NULL;
}

__attribute__((visibility("default"))) const vissl_plugin* vissl_plugin_entry_v1(void) {
  /* Keeps the text through --gc-sections. */
  static const struct {
    vissl_plugin plugin;
    const char* meta;
  } data = {{sizeof(vissl_plugin), VISSL_ABI_MAJOR, VISSL_ABI_MINOR, "org.vissl.golden.transform",
             "1.0.0", init, get_interface, components, components + 1},
            plugin_meta};
  return &data.plugin;
}
