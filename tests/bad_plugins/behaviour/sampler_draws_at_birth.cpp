// Each instance has an order of its own.
#include <vissl/sampler.hpp>
using namespace vissl;
static std::int64_t g_instances = 0;
struct Broken {
  std::int64_t length = 0, number = ++g_instances;
  void open(const SamplerOpen& phase) { length = phase.length; }
  std::int64_t batch_count() const { return length / 4; }
  std::vector<std::int64_t> batch(std::int64_t k) const { return {(4 * k + number) % length}; }
};
VISSL_SAMPLER(Broken, "sampler_draws_at_birth", "An order for life.")
VISSL_PLUGIN("org.example.sampler_draws_at_birth", "1.0.0")
