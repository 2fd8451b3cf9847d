/* Random numbers for plugins and host, equal to the bit in C, in C++ and on every machine.
 *
 * Data path (this file): Philox4x32-10, a counter-based generator. A stream is named by what it is
 * for (seed, train phase, sample, view, place in the pipeline), so the numbers of a sample do not
 * depend on which worker draws them, on how many workers there are, or on what was drawn before.
 * Orders and initial weights: MT19937 with the draws of torch (rng_torch.h) and of numpy and Python
 * (rng_mt19937.h); both are included here.
 *
 * All functions: [any thread], one instance by one thread at a time; they own nothing, allocate
 * nothing, cannot fail, and state is plain data (copy it to fork a stream). Arguments outside the
 * documented ranges are the caller's error.
 *
 * How the bits stay equal: only + - * / sqrt, fma, frexp, ldexp and floor are used on doubles, each
 * exact or correctly rounded by IEEE 754, and every product that is added is an explicit fma(), so
 * a compiler that contracts has nothing left to contract. Do not compile with -ffast-math.
 *
 * Golden vectors (tests: sdk/tests/rng_test.cpp):
 *   philox4x32-10, counter 0 0 0 0, key 0 0         -> 6627e8d5 e169c58d bc57ac4c 9b00dbd8
 *   philox4x32-10, counter ffffffff x4, key ffffffff x2 -> 408f276d 41c83b0e a20bc7c6 6d5451fd
 *   init_sample(seed 1, phase 2, sample 3, occurrence 0, view 0, position 0), u32 x4
 *                                                   -> 24861dc7 675011a7 4e3b0f6a 26db49c4
 */
#ifndef VISSL_RNG_H
#define VISSL_RNG_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include <vissl/rng_mt19937.h>
#include <vissl/rng_torch.h>

/* The ten-round Philox bijection of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3".
 */
static inline void vissl_philox4x32(const uint32_t counter[4], const uint32_t key[2],
                                    uint32_t out[4]) {
  uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
  uint32_t k0 = key[0], k1 = key[1];
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = (uint64_t)0xD2511F53u * c0;
    const uint64_t p1 = (uint64_t)0xCD9E8D57u * c2;
    const uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
    const uint32_t n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c1 = (uint32_t)p1;
    c3 = (uint32_t)p0;
    c0 = n0;
    c2 = n2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/* What a stream is for; the top eight bits of counter word 3. Values from 64 on are free for
 * plugins. */
#define VISSL_RNG_STREAM_SAMPLE 0u
#define VISSL_RNG_STREAM_BATCH 1u

/* A stream of the data path.
 *   key     = the seed: word 0 its low 32 bits, word 1 its high 32 bits
 *   counter word 0: number of the block, from 0; each block gives four 32-bit words, used in order
 *           word 1: view (bits 0..11) | position (bits 12..21) | occurrence (bits 22..31),
 *                   xor (high 32 bits of the index) * 0x9E3779B1: nothing below 2^32 samples
 *           word 2: low 32 bits of the sample index (or of the batch number)
 *           word 3: train phase (bits 0..23) | stream (bits 24..31)
 * A value wider than its field is taken modulo the field. After 2^32 blocks the stream repeats. */
typedef struct vissl_rng {
  uint32_t key[2];
  uint32_t counter[4];
  uint32_t block[4]; /* output of the current block */
  uint32_t used;     /* words of `block` already given; 4 = none left */
} vissl_rng;

/* The general form; the two below are what transforms and collators want. */
static inline void vissl_rng_init_stream(vissl_rng* rng, uint64_t seed, uint32_t stream,
                                         uint32_t phase, uint64_t index, uint32_t occurrence,
                                         uint32_t view, uint32_t position) {
  rng->key[0] = (uint32_t)seed;
  rng->key[1] = (uint32_t)(seed >> 32);
  rng->counter[0] = 0;
  rng->counter[1] =
      ((view & 0xFFFu) | ((position & 0x3FFu) << 12) | ((occurrence & 0x3FFu) << 22)) ^
      ((uint32_t)(index >> 32) * 0x9E3779B1u);
  rng->counter[2] = (uint32_t)index;
  rng->counter[3] = (phase & 0xFFFFFFu) | ((stream & 0xFFu) << 24);
  rng->block[0] = rng->block[1] = rng->block[2] = rng->block[3] = 0;
  rng->used = 4;
}

/* phase: number of train and test phases begun before this one. sample_index: index in the dataset.
 * occurrence: how often the sampler gave this index before in this phase. view: number of the copy
 * or crop, from 0. position: place of the transform in the pipeline, from 0. */
static inline void vissl_rng_init_sample(vissl_rng* rng, uint64_t seed, uint32_t phase,
                                         uint64_t sample_index, uint32_t occurrence, uint32_t view,
                                         uint32_t position) {
  vissl_rng_init_stream(rng, seed, VISSL_RNG_STREAM_SAMPLE, phase, sample_index, occurrence, view,
                        position);
}

/* For draws over a whole batch. batch: number of the batch over all ranks (iteration in the phase *
 * world size + rank), so that ranks draw differently. position: 0 for the collator itself. */
static inline void vissl_rng_init_batch(vissl_rng* rng, uint64_t seed, uint32_t phase,
                                        uint64_t batch, uint32_t position) {
  vissl_rng_init_stream(rng, seed, VISSL_RNG_STREAM_BATCH, phase, batch, 0, 0, position);
}

static inline uint32_t vissl_rng_u32(vissl_rng* rng) {
  if (rng->used == 4) {
    vissl_philox4x32(rng->counter, rng->key, rng->block);
    ++rng->counter[0];
    rng->used = 0;
  }
  return rng->block[rng->used++];
}

/* Two words, the first is the high one. */
static inline uint64_t vissl_rng_u64(vissl_rng* rng) {
  const uint64_t high = vissl_rng_u32(rng);
  return (high << 32) | vissl_rng_u32(rng);
}

/* In [0, 1): the top 53 bits of a u64, times 2^-53. */
static inline double vissl_rng_uniform(vissl_rng* rng) {
  return (double)(vissl_rng_u64(rng) >> 11) * (1.0 / 9007199254740992.0);
}

/* fma(high - low, uniform, low). Can round up to `high` itself. */
static inline double vissl_rng_uniform_range(vissl_rng* rng, double low, double high) {
  return fma(high - low, vissl_rng_uniform(rng), low);
}

/* An integer in [low, high), unbiased; low < high. With R = high - 1 - low: R = 0 draws nothing;
 * else words (u32 when R < 2^32, else u64) are and-ed with the smallest 2^b - 1 >= R until one is
 * <= R. */
static inline int64_t vissl_rng_randint(vissl_rng* rng, int64_t low, int64_t high) {
  const uint64_t range = (uint64_t)high - 1u - (uint64_t)low;
  if (range == 0) return low;
  uint64_t mask = range;
  for (unsigned shift = 1; shift < 64; shift *= 2) mask |= mask >> shift;
  uint64_t value;
  do {
    value = (range >> 32 ? vissl_rng_u64(rng) : vissl_rng_u32(rng)) & mask;
  } while (value > range);
  return (int64_t)((uint64_t)low + value);
}

/* 1 with probability p, else 0: uniform < p. Always draws. */
static inline int32_t vissl_rng_bernoulli(vissl_rng* rng, double p) {
  return vissl_rng_uniform(rng) < p;
}

/* ln x for finite x > 0, within 1 ulp or so; its bits are part of the contract.
 * x = m 2^e with m in [sqrt(1/2), sqrt 2); s = (m - 1) / (m + 1); ln m = 2 (s + s^3/3 + s^5/5 +
 * ...). */
static inline double vissl_rng_log(double x) {
  int e = 0;
  double m = frexp(x, &e);
  if (m < 0.70710678118654752) {
    m *= 2;
    --e;
  }
  const double s = (m - 1) / (m + 1);
  const double z = s * s;
  double p = 1.0 / 23;
  for (int n = 21; n >= 3; n -= 2) p = fma(p, z, 1.0 / n);
  const double two_s = 2 * s;
  const double tail = fma(two_s * z, p, (double)e * 1.9082149292705877e-10);
  return fma((double)e, 0.69314718036912382, two_s + tail);
}

/* e^x within 1 ulp or so; 0 below -745, infinity above 709.7. x = k ln 2 + r; Taylor's series of r.
 */
static inline double vissl_rng_exp(double x) {
  if (x < -745.2) return 0;
  if (x > 709.79) return HUGE_VAL;
  const double k = floor(fma(x, 1.4426950408889634, 0.5));
  const double r = fma(-k, 1.9082149292705877e-10, fma(-k, 0.69314718036912382, x));
  double p = 1;
  for (int n = 14; n >= 1; --n) p = fma(p, r / n, 1.0);
  return ldexp(p, (int)k);
}

/* cos and sin of 2 pi u, u in [0, 1). q = nearest quarter turn; Taylor's series of the rest. */
static inline void vissl_rng_cos_sin_turn(double u, double* cos_out, double* sin_out) {
  const double quarters = 4 * u;
  const double q = floor(quarters + 0.5);
  const double a = (quarters - q) * 1.5707963267948966;
  const double z = -(a * a);
  double c = 1, s = 1;
  for (int n = 18; n >= 2; n -= 2) {
    c = fma(c, z / (double)((n - 1) * n), 1.0);
    s = fma(s, z / (double)(n * (n + 1)), 1.0);
  }
  s *= a;
  switch ((int)q & 3) {
    case 0:
      *cos_out = c, *sin_out = s;
      break;
    case 1:
      *cos_out = -s, *sin_out = c;
      break;
    case 2:
      *cos_out = -c, *sin_out = -s;
      break;
    default:
      *cos_out = s, *sin_out = -c;
      break;
  }
}

/* Standard normal. Two uniforms u, v in this order: sqrt(-2 ln(1 - u)) cos(2 pi v); the sine is not
 * kept, so that every draw takes four words. */
static inline double vissl_rng_normal(vissl_rng* rng) {
  const double u = vissl_rng_uniform(rng);
  double cosine, sine;
  vissl_rng_cos_sin_turn(vissl_rng_uniform(rng), &cosine, &sine);
  return sqrt(-2 * vissl_rng_log(1 - u)) * cosine;
}

/* Mean 1: -ln(1 - uniform). */
static inline double vissl_rng_exponential(vissl_rng* rng) {
  return -vissl_rng_log(1 - vissl_rng_uniform(rng));
}

/* ln of a Gamma(shape, 1) number, shape > 0. Marsaglia and Tsang (2000) for shape >= 1: d = shape -
 * 1/3, c = 1/sqrt(9 d); normal x until v = (1 + c x)^3 > 0; uniform u; accept when ln(1 - u) <
 * x^2/2 + d - d v + d ln v. Below 1: Gamma(shape + 1) * (1 - u)^(1/shape), u drawn last. */
static inline double vissl_rng_log_gamma_draw(vissl_rng* rng, double shape) {
  const double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3;
  const double c = 1 / sqrt(9 * d);
  double result;
  for (;;) {
    const double x = vissl_rng_normal(rng);
    const double root = fma(c, x, 1.0);
    if (root <= 0) continue;
    const double log_root = vissl_rng_log(root);
    const double one_minus_v = fma(-(root * root), root, 1.0);
    const double bound = fma(0.5 * x, x, d * fma(3.0, log_root, one_minus_v));
    if (vissl_rng_log(1 - vissl_rng_uniform(rng)) < bound) {
      result = fma(3.0, log_root, vissl_rng_log(d));
      break;
    }
  }
  if (shape < 1) result += vissl_rng_log(1 - vissl_rng_uniform(rng)) / shape;
  return result;
}

/* Beta(a, b), a > 0 and b > 0: x / (x + y) with x ~ Gamma(a) drawn first, y ~ Gamma(b), through
 * logarithms, so that small parameters do not underflow. */
static inline double vissl_rng_beta(vissl_rng* rng, double a, double b) {
  const double log_x = vissl_rng_log_gamma_draw(rng, a);
  const double log_y = vissl_rng_log_gamma_draw(rng, b);
  return 1 / (1 + vissl_rng_exp(log_y - log_x));
}

/* Writes a permutation of 0 .. n-1 to out (n entries, caller's): from the identity, for i = n-1 ..
 * 1 swaps entries i and randint(0, i + 1). */
static inline void vissl_rng_permutation(vissl_rng* rng, int64_t n, int64_t* out) {
  for (int64_t i = 0; i < n; ++i) out[i] = i;
  for (int64_t i = n - 1; i > 0; --i) {
    const int64_t j = vissl_rng_randint(rng, 0, i + 1);
    const int64_t kept = out[i];
    out[i] = out[j];
    out[j] = kept;
  }
}

#endif
