// Its batches hold one sample too many.
#include <vissl/sampler.hpp>
using namespace vissl;
struct Broken {
  std::int64_t size = 0;
  void open(const SamplerOpen& phase) { size = phase.batch_size + 1; }
  std::int64_t batch_count() const { return 1; }
  std::vector<std::int64_t> batch(std::int64_t) const {
    std::vector<std::int64_t> positions;
    for (std::int64_t i = 0; i < size; ++i) positions.push_back(i);
    return positions;
  }
};
VISSL_SAMPLER(Broken, "sampler_large_batches", "Counts from zero to the batch size.")
VISSL_PLUGIN("org.example.sampler_large_batches", "1.0.0")
