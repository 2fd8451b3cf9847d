/* A ramp, in C. */
#include <stdlib.h>
#include <string.h>
#include <vissl/lr_schedule.h>
#include <vissl/params.h>

#define META(variable, text)   \
  static const char variable[] \
      __attribute__((section(VISSL_META_SECTION), used, retain, aligned(1))) = text

META(plugin_meta, "plugin/org.vissl.golden.schedule/1.0.0/1.0");
META(ramp_meta, "lr_schedule/golden_ramp/Falls in a straight line to zero.");

static const vissl_value_api* values;

static vissl_str text(const char* s) {
  const vissl_str out = {s, strlen(s)};
  return out;
}

static vissl_status create(const vissl_value* config, void** instance, vissl_err* err) {
  double* start = malloc(sizeof *start);
  (void)err;
  if (start == NULL) return VISSL_E_FAILED;
  *start = values->as_number(values->find(config, text("start")));
  *instance = start;
  return VISSL_OK;
}
static void destroy(void* instance) {
  free(instance);
}
static vissl_status value(void* instance, const vissl_schedule_at* at, double* out,
                          vissl_err* err) {
  (void)err;
  *out = *(const double*)instance * (1.0 - at->where);
  return VISSL_OK;
}

static vissl_status declare(vissl_decl* decl, const vissl_params_api* api, vissl_err* err) {
  vissl_param start;
  memset(&start, 0, sizeof start);
  start.size = sizeof start;
  start.name = text("start");
  start.type = VISSL_P_NUMBER;
  start.flags = VISSL_P_REQUIRED;
  start.min = 0;
  start.max = 10;
  start.doc = text("The first value.");
  return api->add(decl, &start, err);
}

static const vissl_lr_schedule_class table = {sizeof table, create, destroy, value, NULL};
static const vissl_component ramp = {sizeof ramp, ramp_meta, VISSL_LR_SCHEDULE_ID,
                                     &table,      declare,   NULL};
static const vissl_component* const components[] = {&ramp};

static vissl_status init(const vissl_host* host, vissl_err* err) {
  (void)err;
  values = host->get_service(host, text(VISSL_VALUE_ID));
  return values != NULL ? VISSL_OK : VISSL_E_PLUGIN;
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
  } data = {{sizeof(vissl_plugin), VISSL_ABI_MAJOR, VISSL_ABI_MINOR, "org.vissl.golden.schedule",
             "1.0.0", init, get_interface, components, components + 1},
            plugin_meta};
  return &data.plugin;
}
