// Its reset forgets the sum and not the count.
#include <vissl/meter.hpp>
using namespace vissl;
struct Broken {
  std::vector<double> counts = {0.0, 0.0};
  void reset() { counts[0] = 0.0; }
  void update(const std::vector<Tensor>& outputs, const Tensor&) {
    counts[0] += outputs[0].sum().item<double>();
    counts[1] += static_cast<double>(outputs[0].size(0));
  }
  std::vector<double>& counters() { return counts; }
  void value(Json& out) const {
    out.object().key("sum").number(counts[0]).key("samples").number(counts[1]).close();
  }
};
VISSL_METER(Broken, "meter_keeps_counting", "Sum and number.")
VISSL_PLUGIN("org.example.meter_keeps_counting", "1.0.0")
