#include <vissl/rng.h>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <vector>

namespace {

#include "../../tests/golden/rng.inc"

uint64_t bits(double value) {
  uint64_t word;
  std::memcpy(&word, &value, sizeof word);
  return word;
}

uint32_t bits(float value) {
  uint32_t word;
  std::memcpy(&word, &value, sizeof word);
  return word;
}

// Draws as many values as the golden array has, then compares the bits of all of them.
template <typename Word, size_t N, typename Draw>
void check_bits(const Word (&golden)[N], Draw draw) {
  for (size_t i = 0; i < N; ++i) {
    CAPTURE(i);
    CHECK(bits(draw()) == golden[i]);
  }
}

template <size_t N, typename Draw>
void check_ints(const int64_t (&golden)[N], Draw draw) {
  std::vector<int64_t> met(N);
  for (int64_t& value : met) value = draw();
  CHECK(met == std::vector<int64_t>(std::begin(golden), std::end(golden)));
}

template <size_t N>
void check_order(const int64_t (&golden)[N], const std::vector<int64_t>& met) {
  CHECK(met == std::vector<int64_t>(std::begin(golden), std::end(golden)));
}

template <size_t N>
void check_floats(const uint32_t (&golden)[N], const std::vector<float>& met) {
  REQUIRE(met.size() == N);
  for (size_t i = 0; i < N; ++i) {
    CAPTURE(i);
    CHECK(bits(met[i]) == golden[i]);
  }
}

std::vector<int64_t> tripled(int64_t n) {
  std::vector<int64_t> values(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) values[static_cast<size_t>(i)] = 3 * i;
  return values;
}

vissl_rng sample_stream(uint64_t index) {
  vissl_rng rng;
  vissl_rng_init_sample(&rng, 1, 2, index, 0, 0, 0);
  return rng;
}

}  // namespace

TEST_CASE("philox: equals the published known answers") {
  uint32_t out[4];
  const uint32_t zero[4] = {0, 0, 0, 0};
  vissl_philox4x32(zero, zero, out);
  CHECK(out[0] == 0x6627e8d5u);
  CHECK(out[1] == 0xe169c58du);
  CHECK(out[2] == 0xbc57ac4cu);
  CHECK(out[3] == 0x9b00dbd8u);
  const uint32_t ones[4] = {~0u, ~0u, ~0u, ~0u};
  vissl_philox4x32(ones, ones, out);
  CHECK(out[0] == 0x408f276du);
  CHECK(out[1] == 0x41c83b0eu);
  CHECK(out[2] == 0xa20bc7c6u);
  CHECK(out[3] == 0x6d5451fdu);
  const uint32_t pi_counter[4] = {0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u};
  const uint32_t pi_key[2] = {0xa4093822u, 0x299f31d0u};
  vissl_philox4x32(pi_counter, pi_key, out);
  CHECK(out[0] == 0xd16cfe09u);
  CHECK(out[1] == 0x94fdccebu);
  CHECK(out[2] == 0x5001e420u);
  CHECK(out[3] == 0x24126ea1u);
}

TEST_CASE("rng: the fields of a stream stand in the documented bits") {
  vissl_rng rng;
  vissl_rng_init_stream(&rng, 0x1122334455667788u, 3, 0xABCDEF, 0xFEDCBA98u, 5, 7, 9);
  CHECK(rng.key[0] == 0x55667788u);
  CHECK(rng.key[1] == 0x11223344u);
  CHECK(rng.counter[0] == 0);
  CHECK(rng.counter[1] == (7u | 9u << 12 | 5u << 22));
  CHECK(rng.counter[2] == 0xFEDCBA98u);
  CHECK(rng.counter[3] == (0xABCDEFu | 3u << 24));
  vissl_rng_init_sample(&rng, 0, 0, uint64_t{2} << 32, 0, 0, 0);
  CHECK(rng.counter[1] == 2u * 0x9E3779B1u);
  vissl_rng_init_batch(&rng, 0, 4, 6, 8);
  CHECK(rng.counter[1] == 8u << 12);
  CHECK(rng.counter[2] == 6);
  CHECK(rng.counter[3] == (4u | 1u << 24));
}

TEST_CASE("rng: words come block by block, in order") {
  vissl_rng rng = sample_stream(3);
  CHECK(vissl_rng_u32(&rng) == 0x24861dc7u);
  CHECK(vissl_rng_u32(&rng) == 0x675011a7u);
  CHECK(vissl_rng_u32(&rng) == 0x4e3b0f6au);
  CHECK(vissl_rng_u32(&rng) == 0x26db49c4u);
  uint32_t second[4];
  const uint32_t counter[4] = {1, 0, 3, 2};
  const uint32_t key[2] = {1, 0};
  vissl_philox4x32(counter, key, second);
  for (const uint32_t word : second) CHECK(vissl_rng_u32(&rng) == word);
  rng = sample_stream(3);
  CHECK(vissl_rng_u64(&rng) == 0x24861dc7675011a7u);
}

TEST_CASE("rng: every field of a stream changes its numbers") {
  std::vector<uint64_t> first;
  for (int field = 0; field < 8; ++field) {
    vissl_rng rng;
    const auto is = [field](int wanted) { return field == wanted ? 1u : 0u; };
    vissl_rng_init_stream(&rng, is(1), is(2), is(3), is(4), is(5), is(6), is(7));
    first.push_back(vissl_rng_u64(&rng));
  }
  std::sort(first.begin(), first.end());
  CHECK(std::adjacent_find(first.begin(), first.end()) == first.end());
}

TEST_CASE("rng: the draws are fixed to the bit") {
  vissl_rng rng = sample_stream(42);
  CHECK(bits(vissl_rng_uniform(&rng)) == 0x3fe918a0a31eaf26u);
  CHECK(bits(vissl_rng_uniform_range(&rng, -0.1, 0.3)) == 0x3fd11903d7dec927u);
  CHECK(vissl_rng_randint(&rng, -5, 1000) == 691);
  CHECK(vissl_rng_randint(&rng, -(int64_t{1} << 40), int64_t{1} << 50) == 168995884922819);
  CHECK(bits(vissl_rng_normal(&rng)) == 0xbfe59f418dec9843u);
  CHECK(bits(vissl_rng_exponential(&rng)) == 0x3ff32cee0a88fd1au);
  CHECK(bits(vissl_rng_beta(&rng, 0.3, 0.8)) == 0x3fb15c5e43aebba5u);
  CHECK(bits(vissl_rng_beta(&rng, 5.0, 1.0)) == 0x3feb47f62a0a04acu);
  std::vector<int64_t> order(10);
  vissl_rng_permutation(&rng, 10, order.data());
  CHECK(order == std::vector<int64_t>{0, 1, 3, 6, 4, 8, 5, 2, 7, 9});
}

TEST_CASE("rng: logarithm, exponential and circle agree with the C library") {
  for (int i = 1; i <= 20000; ++i) {
    const double u = i / 20001.0;
    CHECK(vissl_rng_log(u) == doctest::Approx(std::log(u)).epsilon(1e-15));
    const double x = (u - 0.5) * 1400;
    CHECK(vissl_rng_exp(x) == doctest::Approx(std::exp(x)).epsilon(1e-15));
    double c, s;
    vissl_rng_cos_sin_turn(u, &c, &s);
    CHECK(std::abs(c - std::cos(2 * 3.14159265358979323846 * u)) < 2e-15);
    CHECK(std::abs(s - std::sin(2 * 3.14159265358979323846 * u)) < 2e-15);
  }
  CHECK(vissl_rng_log(1.0) == 0.0);
  CHECK(vissl_rng_exp(-800) == 0.0);
  CHECK(std::isinf(vissl_rng_exp(710)));
}

TEST_CASE("rng: randint stays in its range, reaches both ends and draws nothing for one value") {
  vissl_rng rng = sample_stream(5);
  int64_t low = 9, high = 0;
  for (int i = 0; i < 1000; ++i) {
    const int64_t value = vissl_rng_randint(&rng, 3, 8);
    low = std::min(low, value);
    high = std::max(high, value);
  }
  CHECK(low == 3);
  CHECK(high == 7);
  vissl_rng before = rng;
  CHECK(vissl_rng_randint(&rng, 3, 4) == 3);
  CHECK(vissl_rng_u32(&before) == vissl_rng_u32(&rng));
}

TEST_CASE("rng: means and variances are those of the distributions") {
  constexpr int kCount = 40000;
  const auto check_moments = [](double mean, double variance, auto draw) {
    vissl_rng rng = sample_stream(17);
    double sum = 0, squares = 0;
    for (int i = 0; i < kCount; ++i) {
      const double value = draw(&rng);
      sum += value;
      squares += value * value;
    }
    const double met = sum / kCount;
    CHECK(std::abs(met - mean) < 5 * std::sqrt(variance / kCount));
    CHECK(squares / kCount - met * met == doctest::Approx(variance).epsilon(0.04));
  };
  check_moments(0.5, 1.0 / 12, [](vissl_rng* r) { return vissl_rng_uniform(r); });
  check_moments(0.0, 1.0, [](vissl_rng* r) { return vissl_rng_normal(r); });
  check_moments(1.0, 1.0, [](vissl_rng* r) { return vissl_rng_exponential(r); });
  check_moments(0.3, 0.21, [](vissl_rng* r) { return double(vissl_rng_bernoulli(r, 0.3)); });
  for (const double a : {0.2, 1.0, 4.0}) {
    const double b = 0.5 * a;
    check_moments(a / (a + b), a * b / ((a + b) * (a + b) * (a + b + 1)),
                  [a, b](vissl_rng* r) { return vissl_rng_beta(r, a, b); });
  }
}

TEST_CASE("rng: tiny beta parameters give 0 or 1, never NaN") {
  vissl_rng rng = sample_stream(23);
  for (int i = 0; i < 1000; ++i) {
    const double value = vissl_rng_beta(&rng, 1e-4, 1e-4);
    CHECK(value >= 0);
    CHECK(value <= 1);
  }
}

TEST_CASE("mt19937: equals the reference implementation for both seedings") {
  vissl_mt19937 mt;
  vissl_mt19937_seed(&mt, 5489);
  CHECK(vissl_mt19937_u32(&mt) == 3499211612u);
  for (int i = 1; i < 9999; ++i) vissl_mt19937_u32(&mt);
  CHECK(vissl_mt19937_u32(&mt) == 4123659995u);  // the C++ standard's check of std::mt19937
  const uint32_t key[4] = {0x123, 0x234, 0x345, 0x456};
  vissl_mt19937_seed_array(&mt, key, 4);
  CHECK(vissl_mt19937_u32(&mt) == 1067595299u);
  CHECK(vissl_mt19937_u32(&mt) == 955945823u);
  CHECK(vissl_mt19937_u32(&mt) == 477289528u);
}

TEST_CASE("torch: scalar draws equal torch's, in one running sequence") {
  vissl_torch_rng rng;
  vissl_torch_seed(&rng, 7);
  check_bits(kTorchUniform32, [&] { return vissl_torch_uniform_f32(&rng, 0.0f, 1.0f); });
  check_bits(kTorchUniform32Range, [&] { return vissl_torch_uniform_f32(&rng, -0.1f, 0.3f); });
  check_bits(kTorchUniform64Range, [&] { return vissl_torch_uniform_f64(&rng, -0.1, 0.3); });
  check_ints(kTorchRandint, [&] { return vissl_torch_randint(&rng, -5, 1000); });
  check_ints(kTorchRandintWide,
             [&] { return vissl_torch_randint(&rng, -(int64_t{1} << 40), int64_t{1} << 50); });
  check_ints(kTorchBernoulli, [&] { return vissl_torch_bernoulli(&rng, 0.3); });
  check_ints(kTorchBernoulliTensor, [&] { return vissl_torch_bernoulli_f32(&rng, 0.3f); });
  check_bits(kTorchExponential, [&] { return vissl_torch_exponential(&rng, 2.5); });
}

TEST_CASE("torch: normal_ equals torch's for small and large tensors") {
  vissl_torch_rng rng;
  vissl_torch_seed(&rng, 11);
  std::vector<float> small(5), block(16), large(1003);
  vissl_torch_normal_fill_f32(&rng, 0.25f, 1.5f, small.size(), small.data());
  check_floats(kTorchNormal5, small);
  check_bits(kTorchNormal64, [&] { return vissl_torch_normal(&rng, 0.25, 1.5); });
  vissl_torch_normal_fill_f32(&rng, 0.0f, 1.0f, block.size(), block.data());
  check_floats(kTorchNormal16, block);
  vissl_torch_normal_fill_f32(&rng, -0.02f, 0.7f, large.size(), large.data());
  check_floats(kTorchNormal1003, large);
}

TEST_CASE("torch: randperm equals torch's, and a seed counts by its low 32 bits") {
  const auto randperm = [](uint64_t seed, int64_t n) {
    vissl_torch_rng rng;
    vissl_torch_seed(&rng, seed);
    std::vector<int64_t> order(static_cast<size_t>(n));
    vissl_torch_randperm(&rng, n, order.data());
    return order;
  };
  check_order(kTorchPermutation10Seed0, randperm(0, 10));
  check_order(kTorchPermutation10Seed42, randperm(42, 10));
  check_order(kTorchPermutation1000, randperm((uint64_t{1} << 40) + 3, 1000));
}

TEST_CASE("numpy: draws equal RandomState's, in one running sequence") {
  vissl_numpy_rng rng;
  vissl_numpy_seed(&rng, 3);
  check_bits(kNumpyRandom, [&] { return vissl_numpy_random(&rng); });
  check_bits(kNumpyUniform, [&] { return vissl_numpy_uniform(&rng, -0.1, 0.3); });
  check_ints(kNumpyRandint, [&] { return vissl_numpy_randint(&rng, -5, 1000); });
  check_ints(kNumpyRandintInt32, [&] { return vissl_numpy_randint(&rng, -5, 1000); });
  check_ints(kNumpyRandintWide,
             [&] { return vissl_numpy_randint(&rng, -(int64_t{1} << 40), int64_t{1} << 50); });
  check_ints(kNumpyRandintFull32, [&] { return vissl_numpy_randint(&rng, 0, int64_t{1} << 32); });
  std::vector<int64_t> order(100);
  vissl_numpy_permutation(&rng, 100, order.data());
  check_order(kNumpyPermutation, order);
  order.resize(1000);
  vissl_numpy_permutation(&rng, 1000, order.data());
  order.resize(20);
  check_order(kNumpyChoice, order);
  order = tripled(10);
  vissl_numpy_shuffle(&rng, 10, order.data());
  check_order(kNumpyShuffle, order);
  check_bits(kNumpyNormal, [&] { return vissl_numpy_normal(&rng); });
  check_bits(kNumpyExponential, [&] { return vissl_numpy_exponential(&rng); });
  check_bits(kNumpyGammaHalf, [&] { return vissl_numpy_gamma(&rng, 0.5); });
  check_bits(kNumpyGammaOne, [&] { return vissl_numpy_gamma(&rng, 1.0); });
  check_bits(kNumpyGammaThree, [&] { return vissl_numpy_gamma(&rng, 3.3); });
  check_bits(kNumpyBetaSmall, [&] { return vissl_numpy_beta(&rng, 0.2, 0.4); });
  check_bits(kNumpyBetaTiny, [&] { return vissl_numpy_beta(&rng, 0.001, 0.001); });
  check_bits(kNumpyBetaLarge, [&] { return vissl_numpy_beta(&rng, 2.0, 0.7); });
}

TEST_CASE("numpy: permutation equals RandomState's for the seeds of the reference") {
  const auto permutation = [](uint32_t seed) {
    vissl_numpy_rng rng;
    vissl_numpy_seed(&rng, seed);
    std::vector<int64_t> order(10);
    vissl_numpy_permutation(&rng, 10, order.data());
    return order;
  };
  check_order(kNumpyPermutation10Seed0, permutation(0));
  check_order(kNumpyPermutation10Seed42, permutation(42));
}

TEST_CASE("python: draws equal those of the random module, in one running sequence") {
  vissl_python_rng rng;
  vissl_python_seed(&rng, 5);
  check_bits(kPythonRandom, [&] { return vissl_python_random(&rng); });
  check_bits(kPythonUniform, [&] { return vissl_python_uniform(&rng, -0.1, 0.3); });
  check_ints(kPythonRandint, [&] { return vissl_python_randint(&rng, -5, 1000); });
  check_ints(kPythonRandrange, [&] {
    return static_cast<int64_t>(vissl_python_randbelow(&rng, (uint64_t{1} << 40) + 1));
  });
  check_ints(kPythonChoice, [&] { return static_cast<int64_t>(vissl_python_randbelow(&rng, 16)); });
  check_bits(kPythonGauss, [&] { return vissl_python_gauss(&rng, 0.25, 1.5); });
  std::vector<int64_t> order = tripled(10);
  vissl_python_shuffle(&rng, 10, order.data());
  check_order(kPythonShuffle, order);
}

TEST_CASE("python: seeds of one and two words give the random module's first number") {
  const uint64_t seeds[4] = {0, 1, uint64_t{1} << 32, (uint64_t{1} << 63) + 17};
  for (size_t i = 0; i < 4; ++i) {
    vissl_python_rng rng;
    vissl_python_seed(&rng, seeds[i]);
    CHECK(bits(vissl_python_random(&rng)) == kPythonSeedWide[i]);
  }
}
