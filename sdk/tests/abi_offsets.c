/* The layout of the ABI as a C plugin sees it. */
#include <stddef.h>

#define ABI_FIELD(type, field, at) \
  _Static_assert(offsetof(struct type, field) == (at), "the ABI's " #type "." #field " moved");
#define ABI_SIZE(type, bytes) \
  _Static_assert(sizeof(struct type) == (bytes), "the ABI's " #type " has another size");
#define ABI_CONSTANT(name, value) \
  _Static_assert((name) == (value), "the ABI's " #name " has another value");
#include "abi_offsets.h"

/* A translation unit is not empty. */
int vissl_abi_offsets_hold_in_c(void);
int vissl_abi_offsets_hold_in_c(void) {
  return 1;
}
