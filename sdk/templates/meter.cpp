// my_component: a meter, which counts over a phase and gives its value as JSON. The host sums the
// counters over all ranks before it asks for the value. This one: the share of rows whose largest
// output is the target.
#include <vissl/meter.hpp>
#include <vissl/plugin.hpp>

namespace {

class MyComponent {
 public:
  void reset() { counts_ = {0, 0}; }
  // outputs: those of the model, (N, C); target: (N) class numbers.
  void update(const std::vector<vissl::Tensor>& outputs, const vissl::Tensor& target) {
    counts_[0] += vissl::sum(vissl::argmax(outputs.at(0), 1).eq(target)).item<double>();
    counts_[1] += static_cast<double>(target.numel());
  }
  std::vector<double>& counters() { return counts_; }
  void value(vissl::Json& out) const {
    out.object().key("percent").number(counts_[1] > 0 ? 100 * counts_[0] / counts_[1] : 0).close();
  }

 private:
  std::vector<double> counts_ = {0, 0};  // right, all
};

}  // namespace

VISSL_METER(MyComponent, "my_component", "Percentage of right answers of the first output.")
VISSL_PLUGIN("example.my_component", "0.1.0")
