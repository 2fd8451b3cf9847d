// Each call of batch draws other positions.
#include <vissl/sampler.hpp>
using namespace vissl;
struct Broken {
  std::int64_t length = 0;
  mutable std::int64_t calls = 0;
  void open(const SamplerOpen& phase) { length = phase.length; }
  std::int64_t batch_count() const { return 2; }
  std::vector<std::int64_t> batch(std::int64_t) const { return {++calls % length}; }
};
VISSL_SAMPLER(Broken, "sampler_draws_anew", "Never repeats a batch.")
VISSL_PLUGIN("org.example.sampler_draws_anew", "1.0.0")
