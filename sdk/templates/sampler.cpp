// my_component: a sampler, which says what dataset positions make up each batch of a phase. Equal
// arguments give equal batches, so that a run can be resumed: draw from the seed and the epoch
// alone. This one deals the positions out in order, rotated by the epoch: rank r of W has positions
// r, r + W, …; the rest is dropped.
#include <vissl/plugin.hpp>
#include <vissl/sampler.hpp>

namespace {

class MyComponent {
 public:
  void open(const vissl::SamplerOpen& args) { args_ = args; }
  std::int64_t batch_count() const { return args_.length / (args_.batch_size * args_.world); }
  std::vector<std::int64_t> batch(std::int64_t k) const {
    std::vector<std::int64_t> positions;
    for (std::int64_t i = 0; i < args_.batch_size; ++i) {
      const std::int64_t turn = (k * args_.batch_size + i) * args_.world + args_.rank;
      positions.push_back((turn + args_.epoch) % args_.length);
    }
    return positions;
  }

 private:
  vissl::SamplerOpen args_ = {};
};

}  // namespace

VISSL_SAMPLER(MyComponent, "my_component", "In order, rotated by the epoch.")
VISSL_PLUGIN("example.my_component", "0.1.0")
