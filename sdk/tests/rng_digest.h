/* One number over many draws of every generator; compiled once as C11 and once as C++ to show that
 * both languages give the same bits. */
#ifndef VISSL_TESTS_RNG_DIGEST_H
#define VISSL_TESTS_RNG_DIGEST_H

#include <string.h>
#include <vissl/rng.h>

static inline void rng_digest_add(uint64_t* digest, const void* data, size_t bytes) {
  const unsigned char* p = (const unsigned char*)data;
  for (size_t i = 0; i < bytes; ++i) *digest = (*digest ^ p[i]) * 0x100000001b3u; /* FNV-1a */
}

static inline void rng_digest_double(uint64_t* digest, double value) {
  rng_digest_add(digest, &value, sizeof value);
}

static inline uint64_t rng_digest(void) {
  uint64_t digest = 0xcbf29ce484222325u;
  int64_t order[50];
  float normals[50];
  vissl_rng rng;
  vissl_rng_init_batch(&rng, 12345, 6, 7, 8);
  vissl_torch_rng torch;
  vissl_torch_seed(&torch, 9);
  vissl_numpy_rng numpy;
  vissl_numpy_seed(&numpy, 10);
  vissl_python_rng python;
  vissl_python_seed(&python, 11);
  for (int i = 0; i < 200; ++i) {
    rng_digest_double(&digest, vissl_rng_uniform_range(&rng, -1.5, 0.3));
    rng_digest_double(&digest, vissl_rng_normal(&rng));
    rng_digest_double(&digest, vissl_rng_exponential(&rng));
    rng_digest_double(&digest, vissl_rng_beta(&rng, 0.4, 1.7));
    vissl_rng_permutation(&rng, 50, order);
    rng_digest_add(&digest, order, sizeof order);
    vissl_torch_normal_fill_f32(&torch, 0.1f, 0.7f, 50, normals);
    rng_digest_add(&digest, normals, sizeof normals);
    vissl_torch_randperm(&torch, 50, order);
    rng_digest_add(&digest, order, sizeof order);
    vissl_numpy_permutation(&numpy, 50, order);
    rng_digest_add(&digest, order, sizeof order);
    rng_digest_double(&digest, vissl_numpy_uniform(&numpy, -1.5, 0.3));
    vissl_python_shuffle(&python, 50, order);
    rng_digest_add(&digest, order, sizeof order);
    rng_digest_double(&digest, vissl_python_uniform(&python, -1.5, 0.3));
  }
  return digest;
}

#endif
