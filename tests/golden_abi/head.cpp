// One linear layer, built like mlp's, with the width of its input told beforehand.
#include <vissl/head.hpp>
#include <vissl/plugin.hpp>

#include <vector>

using namespace vissl;

namespace {

class Linear {
 public:
  static void params(Params& p) { p.integers("dims", required, at_least(1), "Input and output."); }
  explicit Linear(const Config& c) : dims_(c.integers("dims")) {
    if (dims_.size() != 2) fail(VISSL_E_CONFIG, "'dims' takes two widths");
  }
  void build(const nn::Scope& store) { layer_ = nn::Linear(store / "clf" / 0, dims_[0], dims_[1]); }
  std::vector<Tensor> forward(const std::vector<Tensor>& inputs, bool) const {
    return {layer_(inputs[0].flatten(1))};
  }
  std::int64_t in_channels() const { return dims_[0]; }

 private:
  std::vector<std::int64_t> dims_;
  nn::Linear layer_;
};

}  // namespace

VISSL_HEAD(Linear, "golden_linear", "One linear layer.")
VISSL_PLUGIN("org.vissl.golden.head", "1.0.0")
