/* vissl.value/1: reading the configuration. A vissl_value is a node of the resolved config tree; it is borrowed and
 * lives until the run ends. All functions are [any]. Asking a node for another type than it has returns 0 / empty. */
#ifndef VISSL_VALUE_H
#define VISSL_VALUE_H
#include <vissl/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VISSL_VALUE_ID "vissl.value/1"

typedef struct vissl_value vissl_value;

#define VISSL_VALUE_NONE 0u
#define VISSL_VALUE_BOOL 1u
#define VISSL_VALUE_INT 2u
#define VISSL_VALUE_NUMBER 3u
#define VISSL_VALUE_STRING 4u
#define VISSL_VALUE_LIST 5u
#define VISSL_VALUE_TABLE 6u

typedef struct vissl_value_api {
  uint64_t size;
  uint32_t (*type)(const vissl_value* v);
  int32_t (*as_bool)(const vissl_value* v);  /* 0 or 1 */
  int64_t (*as_int)(const vissl_value* v);
  double (*as_number)(const vissl_value* v); /* integers are promoted */
  vissl_str (*as_string)(const vissl_value* v);
  uint64_t (*count)(const vissl_value* v);                           /* elements of a list, keys of a table */
  const vissl_value* (*at)(const vissl_value* v, uint64_t i);        /* i-th element or i-th key's value; NULL past the end */
  vissl_str (*key_at)(const vissl_value* v, uint64_t i);             /* keys come in the order of the file */
  const vissl_value* (*find)(const vissl_value* table, vissl_str key); /* NULL when absent */
  vissl_str (*where)(const vissl_value* v);                          /* "exp.toml:12:5", "command line", "default" */
  /* A config tree of the plugin's own from a TOML document ("trunk.drop_path_rate = 0.0"), e.g. for vissl_twin_spec.overrides.
   * Wrong TOML is VISSL_E_PLUGIN with line and column. The host checks nothing of it and keeps it until the run ends. */
  vissl_status (*parse)(vissl_str toml, const vissl_value** out, vissl_err* err);
} vissl_value_api;

#ifdef __cplusplus
}
#endif
#endif
