#include <doctest/doctest.h>

#include <vissl/test.hpp>

#include <cmath>

using vissl::Tensor;
using vissl::test::Host;
using vissl::test::Loss;

TEST_CASE("confidence_penalty: even outputs cost log C less beta log C") {
  Host host;
  host.load(PLUGIN);
  Loss loss(host.run, host.component("loss", "confidence_penalty").create("beta = 0.25"));
  const Tensor logits = Tensor::of<double>({2, 2, 2, 2, 5, 5, 5, 5}, {2, 4});
  const Tensor target = Tensor::of<std::int64_t>({0, 3}, {2});
  CHECK(loss({logits}, target).item<double>() == doctest::Approx(0.75 * std::log(4.0)));
}

TEST_CASE("confidence_penalty: without beta it is the cross entropy, with beta confidence costs") {
  Host host;
  host.load(PLUGIN);
  const auto value = [&](const char* config, double margin) {
    Loss loss(host.run, host.component("loss", "confidence_penalty").create(config));
    const Tensor logits = Tensor::of<double>({margin, 0.0}, {1, 2});
    return loss({logits}, Tensor::of<std::int64_t>({0}, {1})).item<double>();
  };
  CHECK(value("beta = 0.0", 1.5) == doctest::Approx(std::log1p(std::exp(-1.5))));
  // The entropy of two classes with margin m is log(1 + e^-m) + m e^-m / (1 + e^-m).
  const double e = std::exp(-1.5), entropy = std::log1p(e) + 1.5 * e / (1 + e);
  CHECK(value("beta = 2.0", 1.5) == doctest::Approx(std::log1p(e) - 2 * entropy));
}

TEST_CASE("confidence_penalty: a negative beta is refused") {
  Host host;
  host.load(PLUGIN);
  CHECK_THROWS(host.component("loss", "confidence_penalty").create("beta = -0.1"));
}
