// The share of rows whose largest output is the target, and the sum of all outputs.
#include <vissl/meter.hpp>
#include <vissl/plugin.hpp>

#include <vector>

using namespace vissl;

namespace {

class Share {
 public:
  void reset() { counts_ = {0, 0, 0}; }
  void update(const std::vector<Tensor>& outputs, const Tensor& target) {
    counts_[0] += outputs.at(0).argmax(1).eq(target).sum().item<double>();
    counts_[1] += static_cast<double>(target.numel());
    counts_[2] += outputs.at(0).sum().item<double>();
  }
  std::vector<double>& counters() { return counts_; }
  void value(Json& out) const {
    out.object().key("percent").number(100 * counts_[0] / counts_[1]);
    out.key("sum").number(counts_[2]).close();
  }

 private:
  std::vector<double> counts_ = {0, 0, 0};
};

}  // namespace

VISSL_METER(Share, "golden_share", "Right answers, and the sum of the outputs.")
VISSL_PLUGIN("org.vissl.golden.meter", "1.0.0")
