// VISSL's StatefulDistributedSampler. Of W ranks, rank r owns the contiguous block of n = N / W
// positions that begins at r n, and takes them in the order randperm(n), seeded with phase number +
// seed_value and alike on all ranks. The last N mod W positions are not used in training.
//
// A resume in mid-phase needs no state: the host opens the phase with the same arguments and goes
// on at its batch, which is VISSL's start_iter. Departs from VISSL in evaluation: there each image
// counts once, so the first N mod W ranks own one position more. sampling = "vissl" leaves the last
// ones out there too.
#include <vissl/index_batches.hpp>
#include <vissl/rng.hpp>
#include <vissl/sampler.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

using namespace vissl;

namespace {

struct Stateful {
  bool drop_in_evaluation;
  IndexBatches batches;

  static void params(Params& p) {
    p.string("sampling", "each_once", one_of("each_once", "vissl"),
             "In evaluation: count each image once, or leave the last N mod W out like VISSL.");
    p.derive("sampling", "data.test.sampling");
  }
  explicit Stateful(const Config& c) : drop_in_evaluation(c.string("sampling") == "vissl") {}

  void open(const SamplerOpen& phase) {
    std::int64_t begin = phase.length / phase.world * phase.rank;
    std::int64_t count = phase.length / phase.world;
    if (phase.training == 0 && !drop_in_evaluation) {
      const std::int64_t more = phase.length % phase.world;
      begin += std::min(phase.rank, more);
      count += phase.rank < more ? 1 : 0;
    }
    const std::uint64_t seed = static_cast<std::uint64_t>(phase.epoch) + phase.seed;
    std::vector<std::int64_t> mine = TorchGenerator(seed).randperm(count);
    for (std::int64_t& position : mine) position += begin;
    batches = IndexBatches(std::move(mine), phase.batch_size, phase.drop_last != 0);
  }
  std::int64_t batch_count() const { return batches.count(); }
  std::vector<std::int64_t> batch(std::int64_t k) const { return batches.at(k); }
};

}  // namespace

VISSL_SAMPLER(Stateful, "stateful",
              "Gives each rank a fixed block of the split, shuffled in each phase (VISSL).")
VISSL_PLUGIN("org.vissl.samplers.stateful", "1.0.0")
