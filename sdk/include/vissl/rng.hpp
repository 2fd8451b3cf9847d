#pragma once
// C++ layer over rng.h: the same numbers, with values and vectors instead of pointers. Needs no
// host. The definitions of all draws, their ranges and golden vectors are in rng.h.
//
//   vissl_rng stream;
//   vissl_rng_init_sample(&stream, seed, phase, index, occurrence, view, position);
//   vissl::Rng rng(stream);
//   if (rng.bernoulli(0.5)) radius = rng.uniform(0.1, 2.0);
#include <vissl/rng.h>
#include <vissl/error.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {

// A stream of the data path. Borrows the vissl_rng and advances it; that must outlive this object.
class Rng {
 public:
  explicit Rng(vissl_rng& stream) : stream_(&stream) {}

  uint32_t u32() { return vissl_rng_u32(stream_); }
  uint64_t u64() { return vissl_rng_u64(stream_); }
  double uniform() { return vissl_rng_uniform(stream_); }  // in [0, 1)
  double uniform(double low, double high) { return vissl_rng_uniform_range(stream_, low, high); }
  int64_t randint(int64_t low, int64_t high) {  // in [low, high), low < high
    return vissl_rng_randint(stream_, low, high);
  }
  bool bernoulli(double p) { return vissl_rng_bernoulli(stream_, p) != 0; }
  double normal() { return vissl_rng_normal(stream_); }
  double normal(double mean, double std) { return std::fma(normal(), std, mean); }
  double exponential() { return vissl_rng_exponential(stream_); }  // mean 1
  double beta(double a, double b) { return vissl_rng_beta(stream_, a, b); }
  std::vector<int64_t> permutation(int64_t n) {  // of 0 .. n-1
    std::vector<int64_t> order(static_cast<size_t>(n));
    vissl_rng_permutation(stream_, n, order.data());
    return order;
  }

 private:
  vissl_rng* stream_;
};

// torch.Generator("cpu").manual_seed(seed).
class TorchGenerator {
 public:
  explicit TorchGenerator(uint64_t seed) { vissl_torch_seed(&rng_, seed); }

  float uniform(float low = 0, float high = 1) { return vissl_torch_uniform_f32(&rng_, low, high); }
  double uniform64(double low = 0, double high = 1) {
    return vissl_torch_uniform_f64(&rng_, low, high);
  }
  int64_t randint(int64_t low, int64_t high) { return vissl_torch_randint(&rng_, low, high); }
  bool bernoulli(double p) { return vissl_torch_bernoulli(&rng_, p) != 0; }
  double exponential(double lambda) { return vissl_torch_exponential(&rng_, lambda); }
  // uniform_ and normal_ of a contiguous float32 tensor with `count` elements.
  void uniform_fill(float low, float high, size_t count, float* out) {
    for (size_t i = 0; i < count; ++i) out[i] = uniform(low, high);
  }
  void normal_fill(float mean, float std, size_t count, float* out) {
    vissl_torch_normal_fill_f32(&rng_, mean, std, count, out);
  }
  std::vector<int64_t> randperm(int64_t n) {
    std::vector<int64_t> order(static_cast<size_t>(n));
    vissl_torch_randperm(&rng_, n, order.data());
    return order;
  }
  vissl_torch_rng& state() { return rng_; }

 private:
  vissl_torch_rng rng_;
};

// numpy.random.RandomState(seed), the legacy generator.
class NumpyGenerator {
 public:
  explicit NumpyGenerator(uint32_t seed) { vissl_numpy_seed(&rng_, seed); }

  double random() { return vissl_numpy_random(&rng_); }
  double uniform(double low, double high) { return vissl_numpy_uniform(&rng_, low, high); }
  int64_t randint(int64_t low, int64_t high) { return vissl_numpy_randint(&rng_, low, high); }
  double normal() { return vissl_numpy_normal(&rng_); }
  double beta(double a, double b) { return vissl_numpy_beta(&rng_, a, b); }
  void shuffle(std::vector<int64_t>& values) {
    vissl_numpy_shuffle(&rng_, static_cast<int64_t>(values.size()), values.data());
  }
  std::vector<int64_t> permutation(int64_t n) {
    std::vector<int64_t> order(static_cast<size_t>(n));
    vissl_numpy_permutation(&rng_, n, order.data());
    return order;
  }
  // choice(n, count, replace=False); count <= n.
  std::vector<int64_t> choice(int64_t n, int64_t count) {
    std::vector<int64_t> order = permutation(n);
    order.resize(static_cast<size_t>(count));
    return order;
  }
  vissl_numpy_rng& state() { return rng_; }

 private:
  vissl_numpy_rng rng_;
};

// random.Random(seed) of Python, for seeds from 0.
class PythonGenerator {
 public:
  explicit PythonGenerator(uint64_t seed) { vissl_python_seed(&rng_, seed); }

  double random() { return vissl_python_random(&rng_); }
  double uniform(double low, double high) { return vissl_python_uniform(&rng_, low, high); }
  int64_t randint(int64_t low, int64_t high) {  // both ends included, as in Python
    return vissl_python_randint(&rng_, low, high);
  }
  uint64_t randrange(uint64_t n) { return vissl_python_randbelow(&rng_, n); }
  double gauss(double mean, double std) { return vissl_python_gauss(&rng_, mean, std); }
  void shuffle(std::vector<int64_t>& values) {
    vissl_python_shuffle(&rng_, static_cast<int64_t>(values.size()), values.data());
  }
  vissl_python_rng& state() { return rng_; }

 private:
  vissl_python_rng rng_;
};

}  // namespace abi1
}  // namespace vissl
