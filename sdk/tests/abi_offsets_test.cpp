// The layout of the ABI as a C++ plugin and the host see it; abi_offsets.c is the same for C.
#include <doctest/doctest.h>

#include <cstddef>

#define ABI_FIELD(type, field, at) \
  static_assert(offsetof(type, field) == (at), "the ABI's " #type "." #field " has moved");
#define ABI_SIZE(type, bytes) \
  static_assert(sizeof(type) == (bytes), "the ABI's " #type " has another size");
#define ABI_CONSTANT(name, value) \
  static_assert((name) == (value), "the ABI's " #name " has another value");
#include "abi_offsets.h"

extern "C" int vissl_abi_offsets_hold_in_c(void);

TEST_CASE("C and C++ see the ABI's structs and constants where they were released") {
  CHECK(vissl_abi_offsets_hold_in_c() == 1);
}
