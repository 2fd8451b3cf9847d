// It averages batches and not samples.
#include <vissl/meter.hpp>
using namespace vissl;
struct Broken {
  std::vector<double> counts = {0.0, 0.0};
  void reset() { counts = {0.0, 0.0}; }
  void update(const std::vector<Tensor>& outputs, const Tensor&) {
    counts[0] += outputs[0].mean().item<double>();
    counts[1] += 1.0;
  }
  std::vector<double>& counters() { return counts; }
  void value(Json& out) const {
    out.object().key("mean").number(counts[1] == 0.0 ? 0.0 : counts[0] / counts[1]).close();
  }
};
VISSL_METER(Broken, "meter_averages_batches", "Weighs batches alike.")
VISSL_PLUGIN("org.example.meter_averages_batches", "1.0.0")
