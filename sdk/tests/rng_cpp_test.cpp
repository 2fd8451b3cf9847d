#include <vissl/rng.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "rng_digest.h"

extern "C" uint64_t rng_digest_of_c11(void);

using Order = std::vector<int64_t>;

TEST_CASE("rng: C11 and C++ give the same bits") {
  CHECK(rng_digest() == rng_digest_of_c11());
  CHECK(rng_digest() == 0x0129184dce6db9a9u);
}

TEST_CASE("rng: the C++ classes draw what the C functions draw") {
  vissl_rng stream, twin;
  vissl_rng_init_sample(&stream, 4, 3, 2, 1, 0, 5);
  twin = stream;
  vissl::Rng rng(stream);
  CHECK(rng.u32() == vissl_rng_u32(&twin));
  CHECK(rng.u64() == vissl_rng_u64(&twin));
  CHECK(rng.uniform() == vissl_rng_uniform(&twin));
  CHECK(rng.uniform(2, 3) == vissl_rng_uniform_range(&twin, 2, 3));
  CHECK(rng.randint(-7, 70) == vissl_rng_randint(&twin, -7, 70));
  CHECK(rng.bernoulli(0.5) == (vissl_rng_bernoulli(&twin, 0.5) != 0));
  CHECK(rng.normal() == vissl_rng_normal(&twin));
  CHECK(rng.normal(3, 0.5) == std::fma(vissl_rng_normal(&twin), 0.5, 3.0));
  CHECK(rng.exponential() == vissl_rng_exponential(&twin));
  CHECK(rng.beta(2, 3) == vissl_rng_beta(&twin, 2, 3));
  Order order(20);
  vissl_rng_permutation(&twin, 20, order.data());
  CHECK(rng.permutation(20) == order);
  CHECK(vissl_rng_u32(&stream) == vissl_rng_u32(&twin));
}

TEST_CASE("rng: a generator starts afresh from its seed") {
  CHECK(vissl::TorchGenerator(0).randperm(10) == Order{4, 1, 7, 5, 3, 9, 0, 8, 6, 2});
  CHECK(vissl::NumpyGenerator(0).permutation(10) == Order{2, 8, 4, 9, 1, 6, 7, 3, 0, 5});
  CHECK(vissl::NumpyGenerator(0).choice(10, 3) == Order{2, 8, 4});
  CHECK(vissl::PythonGenerator(0).random() == 0.8444218515250481);
  CHECK(vissl::PythonGenerator(0).randrange(100) == 49);
  Order values{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  vissl::NumpyGenerator(0).shuffle(values);
  CHECK(values == vissl::NumpyGenerator(0).permutation(10));
}

TEST_CASE("rng: a fill of a torch generator equals its single draws") {
  std::vector<float> fill(20);
  vissl::TorchGenerator(3).uniform_fill(-0.5f, 0.25f, fill.size(), fill.data());
  vissl::TorchGenerator single(3);
  for (const float value : fill) CHECK(value == single.uniform(-0.5f, 0.25f));
}

TEST_CASE("rng: empty and single permutations draw nothing") {
  vissl::TorchGenerator torch(1), torch_twin(1);
  CHECK(torch.randperm(0).empty());
  CHECK(torch.randperm(1) == Order{0});
  CHECK(torch.uniform() == torch_twin.uniform());
  vissl::NumpyGenerator numpy(1), numpy_twin(1);
  CHECK(numpy.permutation(0).empty());
  CHECK(numpy.permutation(1) == Order{0});
  CHECK(numpy.random() == numpy_twin.random());
}
