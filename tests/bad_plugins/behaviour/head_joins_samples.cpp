// Its forward gives one row for all samples.
#include <vissl/head.hpp>
struct Broken {
  explicit Broken(const vissl::Config&) {}
  void build(const vissl::nn::Scope&) {}
  vissl::Tensor forward(const vissl::Tensor& x, bool) const { return x.mean({0}, true); }
};
VISSL_HEAD(Broken, "head_joins_samples", "The mean of the batch.")
VISSL_PLUGIN("org.example.head_joins_samples", "1.0.0")
