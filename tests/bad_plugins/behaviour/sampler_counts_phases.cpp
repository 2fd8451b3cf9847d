// Its order depends on how many phases it has opened, and not on which.
#include <vissl/sampler.hpp>
using namespace vissl;
struct Broken {
  std::int64_t length = 0, phases = 0;
  void open(const SamplerOpen& phase) {
    length = phase.length;
    ++phases;
  }
  std::int64_t batch_count() const { return length / 4; }
  std::vector<std::int64_t> batch(std::int64_t k) const { return {(4 * k + phases) % length}; }
};
VISSL_SAMPLER(Broken, "sampler_counts_phases", "Another order in each phase.")
VISSL_PLUGIN("org.example.sampler_counts_phases", "1.0.0")
