#include "rng_digest.h"

uint64_t rng_digest_of_c11(void);

uint64_t rng_digest_of_c11(void) {
  return rng_digest();
}
