/* MT19937 (Matsumoto and Nishimura 1998) and the draws of numpy's legacy generator
 * (numpy.random.seed, RandomState) and of Python's `random`, for orders and subsets that must equal
 * VISSL's. Included by rng.h, whose rules on threads and ownership hold here. Results that pass
 * through log, sqrt, pow, sin or cos take the C library's: glibc's give the bits of the golden
 * data.
 *
 * Golden vectors:
 *   vissl_mt19937_seed(5489), first word                   -> 3499211612 (std::mt19937)
 *   seed_array({0x123, 0x234, 0x345, 0x456}), first words  -> 1067595299 955945823 477289528
 *   numpy seed 0: random 0.5488135039273248, permutation(10) -> 2 8 4 9 1 6 7 3 0 5
 *   numpy seed 42: permutation(10)                         -> 8 1 5 0 7 2 9 4 3 6
 *   python seed 0: random 0.8444218515250481, randrange(100) after seed 0 -> 49
 */
#ifndef VISSL_RNG_MT19937_H
#define VISSL_RNG_MT19937_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

typedef struct vissl_mt19937 {
  uint32_t state[624];
  uint32_t next; /* 0..624: the word that the next draw takes; 624 = a new block is made first */
} vissl_mt19937;

/* The reference's init_genrand: torch.manual_seed (low 32 bits), numpy.random.seed(int),
 * std::mt19937. */
static inline void vissl_mt19937_seed(vissl_mt19937* mt, uint32_t seed) {
  mt->state[0] = seed;
  for (uint32_t i = 1; i < 624; ++i) {
    const uint32_t last = mt->state[i - 1];
    mt->state[i] = 1812433253u * (last ^ (last >> 30)) + i;
  }
  mt->next = 624;
}

/* The reference's init_by_array: Python's random.seed(int), numpy.random.seed(list). count >= 1. */
static inline void vissl_mt19937_seed_array(vissl_mt19937* mt, const uint32_t* words,
                                            size_t count) {
  vissl_mt19937_seed(mt, 19650218u);
  uint32_t* s = mt->state;
  uint32_t i = 1;
  size_t j = 0;
  for (size_t k = count > 624 ? count : 624; k > 0; --k) {
    s[i] = (s[i] ^ ((s[i - 1] ^ (s[i - 1] >> 30)) * 1664525u)) + words[j] + (uint32_t)j;
    if (++i == 624) {
      s[0] = s[623];
      i = 1;
    }
    if (++j == count) j = 0;
  }
  for (int k = 623; k > 0; --k) {
    s[i] = (s[i] ^ ((s[i - 1] ^ (s[i - 1] >> 30)) * 1566083941u)) - i;
    if (++i == 624) {
      s[0] = s[623];
      i = 1;
    }
  }
  s[0] = 0x80000000u;
}

static inline void vissl_mt19937_refill(vissl_mt19937* mt) {
  uint32_t* s = mt->state;
  for (uint32_t i = 0; i < 624; ++i) {
    const uint32_t following = s[i == 623 ? 0 : i + 1];
    const uint32_t mixed = (s[i] & 0x80000000u) | (following & 0x7fffffffu);
    s[i] = s[i < 227 ? i + 397 : i - 227] ^ (mixed >> 1) ^ ((following & 1u) ? 0x9908b0dfu : 0u);
  }
  mt->next = 0;
}

static inline uint32_t vissl_mt19937_u32(vissl_mt19937* mt) {
  if (mt->next == 624) vissl_mt19937_refill(mt);
  uint32_t y = mt->state[mt->next++];
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  return y ^ (y >> 18);
}

/* Two words, the first is the high one (torch's random64, numpy's next_uint64). */
static inline uint64_t vissl_mt19937_u64(vissl_mt19937* mt) {
  const uint64_t high = vissl_mt19937_u32(mt);
  return (high << 32) | vissl_mt19937_u32(mt);
}

/* In [0, 1) with 53 bits: numpy's random_sample and Python's random(). */
static inline double vissl_mt19937_double(vissl_mt19937* mt) {
  const uint32_t high = vissl_mt19937_u32(mt) >> 5;
  const uint32_t low = vissl_mt19937_u32(mt) >> 6;
  return ((double)high * 67108864.0 + (double)low) * (1.0 / 9007199254740992.0);
}

/* a * b, rounded before anything is added to it: numpy and Python are compiled without fused
 * multiply-adds, and a compiler that has them would fuse the sums below. */
static inline double vissl_rounded_product(double a, double b) {
  volatile double product = a * b;
  return product;
}

/* numpy: RandomState(seed) */

typedef struct vissl_numpy_rng {
  vissl_mt19937 mt;
  double gauss;
  int32_t has_gauss; /* 1: `gauss` is the next standard normal */
} vissl_numpy_rng;

static inline void vissl_numpy_seed(vissl_numpy_rng* rng, uint32_t seed) {
  vissl_mt19937_seed(&rng->mt, seed);
  rng->gauss = 0;
  rng->has_gauss = 0;
}

/* random_sample, rand: in [0, 1). */
static inline double vissl_numpy_random(vissl_numpy_rng* rng) {
  return vissl_mt19937_double(&rng->mt);
}

static inline double vissl_numpy_uniform(vissl_numpy_rng* rng, double low, double high) {
  return low + vissl_rounded_product(high - low, vissl_numpy_random(rng));
}

/* An integer in [0, max], by masked rejection; max = 0 draws nothing. */
static inline uint64_t vissl_numpy_interval(vissl_numpy_rng* rng, uint64_t max) {
  if (max == 0) return 0;
  uint64_t mask = max;
  for (unsigned shift = 1; shift < 64; shift *= 2) mask |= mask >> shift;
  uint64_t value;
  do {
    value = (max >> 32 ? vissl_mt19937_u64(&rng->mt) : vissl_mt19937_u32(&rng->mt)) & mask;
  } while (value > max);
  return value;
}

/* randint(low, high): in [low, high), low < high; dtype int64 (the default) and int32. */
static inline int64_t vissl_numpy_randint(vissl_numpy_rng* rng, int64_t low, int64_t high) {
  const uint64_t max = (uint64_t)high - 1u - (uint64_t)low;
  return (int64_t)((uint64_t)low + vissl_numpy_interval(rng, max));
}

/* shuffle: in place, n entries. */
static inline void vissl_numpy_shuffle(vissl_numpy_rng* rng, int64_t n, int64_t* values) {
  for (int64_t i = n - 1; i > 0; --i) {
    const int64_t j = (int64_t)vissl_numpy_interval(rng, (uint64_t)i);
    const int64_t kept = values[i];
    values[i] = values[j];
    values[j] = kept;
  }
}

/* permutation(n) into out (n entries). choice(n, k, replace=False) is its first k entries. */
static inline void vissl_numpy_permutation(vissl_numpy_rng* rng, int64_t n, int64_t* out) {
  for (int64_t i = 0; i < n; ++i) out[i] = i;
  vissl_numpy_shuffle(rng, n, out);
}

/* standard_normal, randn: the polar method; the second value is kept for the next call. */
static inline double vissl_numpy_normal(vissl_numpy_rng* rng) {
  if (rng->has_gauss) {
    rng->has_gauss = 0;
    return rng->gauss;
  }
  double x, y, square;
  do {
    x = 2.0 * vissl_numpy_random(rng) - 1.0;
    y = 2.0 * vissl_numpy_random(rng) - 1.0;
    square = vissl_rounded_product(x, x) + vissl_rounded_product(y, y);
  } while (square >= 1.0 || square == 0.0);
  const double f = sqrt(-2.0 * log(square) / square);
  rng->gauss = f * x;
  rng->has_gauss = 1;
  return f * y;
}

/* standard_exponential. */
static inline double vissl_numpy_exponential(vissl_numpy_rng* rng) {
  return -log(1.0 - vissl_numpy_random(rng));
}

/* standard_gamma(shape), shape >= 0. */
static inline double vissl_numpy_gamma(vissl_numpy_rng* rng, double shape) {
  if (shape == 1.0) return vissl_numpy_exponential(rng);
  if (shape == 0.0) return 0.0;
  if (shape < 1.0) {
    for (;;) {
      const double u = vissl_numpy_random(rng);
      const double v = vissl_numpy_exponential(rng);
      if (u <= 1.0 - shape) {
        const double x = pow(u, 1. / shape);
        if (x <= v) return x;
      } else {
        const double y = -log((1 - u) / shape);
        const double x = pow(1.0 - shape + vissl_rounded_product(shape, y), 1. / shape);
        if (x <= v + y) return x;
      }
    }
  }
  const double b = shape - 1. / 3.;
  const double c = 1. / sqrt(9 * b);
  for (;;) {
    double x, v;
    do {
      x = vissl_numpy_normal(rng);
      v = 1.0 + vissl_rounded_product(c, x);
    } while (v <= 0.0);
    v = vissl_rounded_product(v * v, v);
    const double u = vissl_numpy_random(rng);
    if (u < 1.0 - vissl_rounded_product(0.0331 * (x * x), x * x)) return b * v;
    const double slack = vissl_rounded_product(b, 1. - v + log(v));
    if (log(u) < vissl_rounded_product(0.5 * x, x) + slack) return b * v;
  }
}

/* beta(a, b), a > 0 and b > 0: Johnk's method when both are at most 1, else a ratio of gammas. */
static inline double vissl_numpy_beta(vissl_numpy_rng* rng, double a, double b) {
  if (a > 1.0 || b > 1.0) {
    const double x = vissl_numpy_gamma(rng, a);
    const double y = vissl_numpy_gamma(rng, b);
    return x / (x + y);
  }
  for (;;) {
    const double u = vissl_numpy_random(rng);
    const double v = vissl_numpy_random(rng);
    const double x = pow(u, 1.0 / a);
    const double y = pow(v, 1.0 / b);
    if (x + y > 1.0) continue;
    if (x + y > 0) return x / (x + y);
    double log_x = log(u) / a;
    double log_y = log(v) / b;
    const double log_max = log_x > log_y ? log_x : log_y;
    log_x -= log_max;
    log_y -= log_max;
    return exp(log_x - log(exp(log_x) + exp(log_y)));
  }
}

/* Python: random.seed(int) */

typedef struct vissl_python_rng {
  vissl_mt19937 mt;
  double gauss;
  int32_t has_gauss; /* 1: `gauss` is the next standard normal */
} vissl_python_rng;

/* random.seed(s) for |s| = magnitude < 2^64. */
static inline void vissl_python_seed(vissl_python_rng* rng, uint64_t magnitude) {
  const uint32_t words[2] = {(uint32_t)magnitude, (uint32_t)(magnitude >> 32)};
  vissl_mt19937_seed_array(&rng->mt, words, words[1] ? 2 : 1);
  rng->gauss = 0;
  rng->has_gauss = 0;
}

/* random(): in [0, 1). */
static inline double vissl_python_random(vissl_python_rng* rng) {
  return vissl_mt19937_double(&rng->mt);
}

static inline double vissl_python_uniform(vissl_python_rng* rng, double low, double high) {
  return low + vissl_rounded_product(high - low, vissl_python_random(rng));
}

/* getrandbits(bits), 1 <= bits <= 64; beyond 32 the first word is the low one. */
static inline uint64_t vissl_python_getrandbits(vissl_python_rng* rng, uint32_t bits) {
  const uint64_t first = vissl_mt19937_u32(&rng->mt);
  if (bits <= 32) return first >> (32 - bits);
  return first | ((uint64_t)(vissl_mt19937_u32(&rng->mt) >> (64 - bits)) << 32);
}

/* randrange(n), and the index of choice(): in [0, n), n >= 1. */
static inline uint64_t vissl_python_randbelow(vissl_python_rng* rng, uint64_t n) {
  uint32_t bits = 0;
  while (bits < 64 && n >> bits) ++bits;
  uint64_t value;
  do {
    value = vissl_python_getrandbits(rng, bits);
  } while (value >= n);
  return value;
}

/* randint(low, high): both ends included, as in Python. */
static inline int64_t vissl_python_randint(vissl_python_rng* rng, int64_t low, int64_t high) {
  const uint64_t count = (uint64_t)high - (uint64_t)low + 1u;
  return (int64_t)((uint64_t)low + vissl_python_randbelow(rng, count));
}

/* shuffle: in place, n entries. */
static inline void vissl_python_shuffle(vissl_python_rng* rng, int64_t n, int64_t* values) {
  for (int64_t i = n - 1; i > 0; --i) {
    const int64_t j = (int64_t)vissl_python_randbelow(rng, (uint64_t)i + 1u);
    const int64_t kept = values[i];
    values[i] = values[j];
    values[j] = kept;
  }
}

/* gauss(mean, std): cosine first, sine kept for the next call. */
static inline double vissl_python_gauss(vissl_python_rng* rng, double mean, double std) {
  double z = rng->gauss;
  if (rng->has_gauss) {
    rng->has_gauss = 0;
  } else {
    const double angle = vissl_python_random(rng) * 6.283185307179586;
    const double radius = sqrt(-2.0 * log(1.0 - vissl_python_random(rng)));
    z = cos(angle) * radius;
    rng->gauss = sin(angle) * radius;
    rng->has_gauss = 1;
  }
  return mean + vissl_rounded_product(z, std);
}

#endif
