// A convolution, batch norm of the host, and a block.
#include <vissl/autograd.hpp>
#include <vissl/plugin.hpp>
#include <vissl/trunk.hpp>

using namespace vissl;

namespace {

class Small {
 public:
  static void params(Params& p) { p.integer("channels", 8, at_least(1), "Width of the feature."); }
  explicit Small(const Config& c) : channels_(c.integer("channels")) {}
  void build(const nn::Scope& s) {
    conv_ = nn::Conv2d(s / "conv", 3, channels_, nn::Conv2d::square(3, 2, 1));
    norm_ = nn::BatchNorm2d(s / "norm", channels_);
    block_.layer = nn::Linear(s / "layer", channels_, channels_);
  }
  std::vector<std::string> features() const { return {"map", "flat"}; }
  void forward(const TrunkCall& call, Features& out) const {
    const Tensor x = out.put("map", norm_(conv_(call.image()), call.training()).relu());
    if (!out.complete()) out.put("flat", block_call("layer", block_, x.mean({2, 3})));
  }
  std::int64_t channels(std::string_view) const { return channels_; }

 private:
  struct Block {
    nn::Linear layer;
    Tensor operator()(const Tensor& x) const { return x + layer(x).tanh(); }
  };
  std::int64_t channels_;
  nn::Conv2d conv_;
  nn::BatchNorm2d norm_;
  Block block_;
};

}  // namespace

VISSL_TRUNK(Small, "golden_small", "A convolution, a norm and a block.")
VISSL_PLUGIN("org.vissl.golden.trunk", "1.0.0")
