// my_component: a trunk, which turns images into named features. Say here which paper and section
// it follows, and the shapes: input (N, 3, H, W); feature "stem": (N, width, H, W), "pooled": (N,
// width).
#include <vissl/plugin.hpp>
#include <vissl/trunk.hpp>

#include <string>
#include <vector>

namespace {

class MyComponent {
 public:
  static void params(vissl::Params& p) {
    p.integer("width", 8, vissl::at_least(1), "Channels of the stem.");
  }
  explicit MyComponent(const vissl::Config& c) : width_(c.integer("width")) {}

  // All parameters and buffers are created here; the host owns them. Initial values are torch's.
  void build(const vissl::nn::Scope& store, const vissl::RunFacts& facts) {
    conv_ = vissl::nn::Conv2d(store / "stem", facts.input_channels, width_,
                              vissl::nn::Conv2d::square(3, 1, 1));
    norm_ = vissl::nn::BatchNorm2d(store / "norm", width_);
  }
  // In network order; heads see the last one when the config asks for none.
  std::vector<std::string> features() const { return {"stem", "pooled"}; }

  void forward(const vissl::TrunkCall& call, vissl::Features& out) const {
    const vissl::Tensor x = vissl::relu(norm_(conv_(call.image()), call.training()));
    out.put("stem", x);
    if (out.complete()) return;  // nothing later is wanted
    out.put("pooled", vissl::mean(x, {2, 3}));
  }
  std::int64_t channels(std::string_view /*feature*/) const { return width_; }

 private:
  std::int64_t width_;
  vissl::nn::Conv2d conv_;
  vissl::nn::BatchNorm2d norm_;
};

}  // namespace

VISSL_TRUNK(MyComponent, "my_component", "One convolution, then the mean over the picture.")
VISSL_PLUGIN("example.my_component", "0.1.0")
