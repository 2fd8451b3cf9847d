/* The CPU generator of torch 2.11 (MT19937) and its draws, to the bit of what torch gives on x86-64
 * with AVX2 and FMA (also on AVX-512 machines, where torch runs the same kernels): torch's own
 * compiler fuses the multiply-adds below, so they are written as fma() and come out alike on every
 * machine. On a CPU without FMA torch itself differs in the last place. Included by rng.h, whose
 * rules on threads and ownership hold here. Draws that pass through log, log1p, sin and cos in
 * double take the C library's: glibc's give the bits of the golden data.
 *
 * Golden vectors:
 *   seed 0: rand(4)     -> 0.4962566 0.7682218 0.0884774 0.1320305 (float32)
 *   seed 0: randperm(10) -> 4 1 7 5 3 9 0 8 6 2; seed 42 -> 2 6 1 8 4 5 0 9 3 7
 *   seed 0: randn(4)    -> 0.6472 0.2490 -0.3354 0.4564; randn(20)[:3] -> -1.6959 0.5667 0.7935
 */
#ifndef VISSL_RNG_TORCH_H
#define VISSL_RNG_TORCH_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include <vissl/rng_mt19937.h>

typedef struct vissl_torch_rng {
  vissl_mt19937 mt;
  double next_normal;
  int32_t has_next_normal; /* 1: `next_normal` is the next standard normal of a small tensor */
} vissl_torch_rng;

/* manual_seed(seed); torch keeps the low 32 bits. */
static inline void vissl_torch_seed(vissl_torch_rng* rng, uint64_t seed) {
  vissl_mt19937_seed(&rng->mt, (uint32_t)seed);
  rng->next_normal = 0;
  rng->has_next_normal = 0;
}

/* One element of uniform_(low, high) of a float32 tensor; (0, 1) is rand(). */
static inline float vissl_torch_uniform_f32(vissl_torch_rng* rng, float low, float high) {
  const float x = (float)(vissl_mt19937_u32(&rng->mt) & 0xFFFFFFu) * (1.0f / 16777216.0f);
  return fmaf(x, high - low, low);
}

/* The same for float64. */
static inline double vissl_torch_uniform_f64(vissl_torch_rng* rng, double low, double high) {
  const uint64_t bits = vissl_mt19937_u64(&rng->mt) & (((uint64_t)1 << 53) - 1);
  return fma((double)bits * (1.0 / 9007199254740992.0), high - low, low);
}

/* One element of randint(low, high), int64: in [low, high), low < high. */
static inline int64_t vissl_torch_randint(vissl_torch_rng* rng, int64_t low, int64_t high) {
  const uint64_t range = (uint64_t)high - (uint64_t)low;
  const uint64_t word =
      range >> 32 ? vissl_mt19937_u64(&rng->mt) : (uint64_t)vissl_mt19937_u32(&rng->mt);
  return (int64_t)((uint64_t)low + word % range);
}

/* One element of bernoulli_(p) and of dropout's mask (p = the probability to keep). */
static inline int32_t vissl_torch_bernoulli(vissl_torch_rng* rng, double p) {
  return vissl_torch_uniform_f64(rng, 0.0, 1.0) < p;
}

/* One element of bernoulli(t), t a float32 tensor of probabilities. */
static inline int32_t vissl_torch_bernoulli_f32(vissl_torch_rng* rng, float p) {
  return vissl_torch_uniform_f32(rng, 0.0f, 1.0f) < p;
}

/* One element of exponential_(lambda), before rounding to the tensor's dtype. */
static inline double vissl_torch_exponential(vissl_torch_rng* rng, double lambda) {
  return -1.0 / lambda * log1p(-vissl_torch_uniform_f64(rng, 0.0, 1.0));
}

/* randperm(n) into out (n entries). */
static inline void vissl_torch_randperm(vissl_torch_rng* rng, int64_t n, int64_t* out) {
  if (n >= (int64_t)(UINT32_MAX / 20)) {
    /* 32 bits would be too coarse: torch shuffles inside out with 64. */
    for (int64_t i = 0; i < n; ++i) {
      const int64_t j = (int64_t)(vissl_mt19937_u64(&rng->mt) % (uint64_t)(i + 1));
      out[i] = i;
      out[i] = out[j];
      out[j] = i;
    }
    return;
  }
  for (int64_t i = 0; i < n; ++i) out[i] = i;
  for (int64_t i = 0; i < n - 1; ++i) {
    const int64_t j = i + (int64_t)(vissl_mt19937_u32(&rng->mt) % (uint32_t)(n - i));
    const int64_t kept = out[i];
    out[i] = out[j];
    out[j] = kept;
  }
}

/* One element of normal_(mean, std) of a tensor with fewer than 16 elements (or not contiguous),
 * before rounding to the tensor's dtype. The second of a pair is kept in the generator for the next
 * call. */
static inline double vissl_torch_normal(vissl_torch_rng* rng, double mean, double std) {
  double z = rng->next_normal;
  if (rng->has_next_normal) {
    rng->has_next_normal = 0;
  } else {
    const double u = vissl_torch_uniform_f64(rng, 0.0, 1.0);
    const double radius = sqrt(-2.0 * log1p(-vissl_torch_uniform_f64(rng, 0.0, 1.0)));
    const double angle = 6.283185307179586 * u;
    rng->next_normal = radius * sin(angle);
    rng->has_next_normal = 1;
    z = radius * cos(angle);
  }
  return fma(z, std, mean);
}

/* ln x of torch's vectorised kernel, x in [2^-24, 1] (Cephes' single precision polynomial). */
static inline float vissl_torch_logf(float x) {
  static const float coefficients[9] = {7.0376836292E-2f,  -1.1514610310E-1f, 1.1676998740E-1f,
                                        -1.2420140846E-1f, 1.4249322787E-1f,  -1.6668057665E-1f,
                                        2.0000714765E-1f,  -2.4999993993E-1f, 3.3333331174E-1f};
  int exponent = 0;
  float m = frexpf(x, &exponent);
  if (m < 0.707106781186547524f) {
    --exponent;
    m += m;
  }
  m -= 1.0f;
  const float e = (float)exponent;
  const float z = m * m;
  float y = coefficients[0];
  for (int i = 1; i < 9; ++i) y = fmaf(y, m, coefficients[i]);
  y = y * m;
  y = fmaf(y, z, e * -2.12194440e-4f);
  y = fmaf(z, -0.5f, y);
  return fmaf(e, 0.693359375f, m + y);
}

/* sin x and cos x of torch's vectorised kernel, x in [0, 2 pi]. */
static inline void vissl_torch_sincosf(float x, float* sin_out, float* cos_out) {
  const int octant = ((int)(x * 1.27323954473516f) + 1) & ~1;
  const float turns = (float)octant;
  x = fmaf(turns, -0.78515625f, x);
  x = fmaf(turns, -2.4187564849853515625e-4f, x);
  x = fmaf(turns, -3.77489497744594108e-8f, x);
  const float z = x * x;
  float c = fmaf(2.443315711809948E-005f, z, -1.388731625493765E-003f);
  c = fmaf(c, z, 4.166664568298827E-002f) * z;
  c = fmaf(z, c, -0.5f * z) + 1.0f;
  float s = fmaf(-1.9515295891E-4f, z, 8.3321608736E-3f);
  s = fmaf(s, z, -1.6666654611E-1f) * z;
  s = fmaf(x, s, x);
  const float sine = octant & 2 ? c : s;
  const float cosine = octant & 2 ? s : c;
  *sin_out = octant & 4 ? -sine : sine;
  *cos_out = (octant - 2) & 4 ? cosine : -cosine;
}

/* normal_(mean, std) of a contiguous float32 tensor with `count` elements, for any count: below 16
 * the scalar draw above; from 16 on blocks of 16 uniforms become 8 Box-Muller pairs (entry j and j
 * + 8), and when 16 does not divide count, the last 16 entries are drawn again. */
static inline void vissl_torch_normal_fill_f32(vissl_torch_rng* rng, float mean, float std,
                                               size_t count, float* out) {
  if (count < 16) {
    for (size_t i = 0; i < count; ++i) out[i] = (float)vissl_torch_normal(rng, mean, std);
    return;
  }
  for (size_t i = 0; i < count; ++i) out[i] = vissl_torch_uniform_f32(rng, 0.0f, 1.0f);
  for (size_t begin = 0; begin < count;) {
    if (count - begin < 16) {
      begin = count - 16;
      for (size_t i = begin; i < count; ++i) out[i] = vissl_torch_uniform_f32(rng, 0.0f, 1.0f);
    }
    for (size_t j = begin; j < begin + 8; ++j) {
      float sine, cosine;
      const float radius = sqrtf(-2.0f * vissl_torch_logf(1.0f - out[j]));
      vissl_torch_sincosf(6.283185307179586f * out[j + 8], &sine, &cosine);
      out[j] = fmaf(radius * cosine, std, mean);
      out[j + 8] = fmaf(radius * sine, std, mean);
    }
    begin += 16;
  }
}

#endif
