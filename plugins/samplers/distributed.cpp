// The default sampler: torch's DistributedSampler as VISSL uses it. The whole split is shuffled
// with the phase number as seed; of W ranks, rank r takes entries r, r + W, r + 2W, … The order is
// padded with its own beginning until all ranks have equally many.
//
// Departs from VISSL in evaluation: there each image counts once, so nothing is padded and ranks
// may differ by one. sampling = "vissl" pads there too and so reproduces VISSL's figures.
#include <vissl/index_batches.hpp>
#include <vissl/rng.hpp>
#include <vissl/sampler.hpp>

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

using namespace vissl;

namespace {

struct Distributed {
  bool shuffle;
  std::int64_t seed;
  bool pad_evaluation;
  IndexBatches batches;

  static void params(Params& p) {
    p.boolean("shuffle", true, "Shuffle the split anew in each phase; false keeps its order.");
    p.integer("seed", 0, at_least(0), "Added to the phase number to seed the order; 0 is VISSL's.");
    p.string("sampling", "each_once", one_of("each_once", "vissl"),
             "In evaluation: count each image once, or pad ranks to equal length like VISSL.");
    p.derive("sampling", "data.test.sampling");
  }
  explicit Distributed(const Config& c)
      : shuffle(c.boolean("shuffle")),
        seed(c.integer("seed")),
        pad_evaluation(c.string("sampling") == "vissl") {}

  void open(const SamplerOpen& phase) {
    const std::vector<std::int64_t> order = whole_order(phase);
    std::int64_t total = phase.length;
    if (phase.training != 0 || pad_evaluation) {
      total = (phase.length + phase.world - 1) / phase.world * phase.world;
    }
    std::vector<std::int64_t> mine;
    mine.reserve(static_cast<std::size_t>(total / phase.world + 1));
    for (std::int64_t i = phase.rank; i < total; i += phase.world) {
      mine.push_back(order[static_cast<std::size_t>(i % phase.length)]);
    }
    batches = IndexBatches(std::move(mine), phase.batch_size, phase.drop_last != 0);
  }
  std::int64_t batch_count() const { return batches.count(); }
  std::vector<std::int64_t> batch(std::int64_t k) const { return batches.at(k); }

  std::vector<std::int64_t> whole_order(const SamplerOpen& phase) const {
    if (shuffle) {
      return TorchGenerator(static_cast<std::uint64_t>(seed + phase.epoch)).randperm(phase.length);
    }
    std::vector<std::int64_t> order(static_cast<std::size_t>(phase.length));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    return order;
  }
};

}  // namespace

VISSL_SAMPLER(Distributed, "distributed",
              "Shuffles the whole split and deals it out to the ranks (torch, VISSL's default).")
VISSL_PLUGIN("org.vissl.samplers.distributed", "1.0.0")
