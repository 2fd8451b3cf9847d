// Its last batch names a position behind the end of the split.
#include <vissl/sampler.hpp>
using namespace vissl;
struct Broken {
  std::int64_t length = 0;
  void open(const SamplerOpen& phase) { length = phase.length; }
  std::int64_t batch_count() const { return length / 4; }
  std::vector<std::int64_t> batch(std::int64_t k) const { return {4 * k + 1, 4 * k + 4}; }
};
VISSL_SAMPLER(Broken, "sampler_out_of_range", "Counts from one.")
VISSL_PLUGIN("org.example.sampler_out_of_range", "1.0.0")
