// my_component: a head, which turns a feature into an output. Input (N, dims[0]), or (N, C, 1, 1)
// which it flattens; output (N, dims[1]).
#include <vissl/head.hpp>
#include <vissl/plugin.hpp>

namespace {

class MyComponent {
 public:
  static void params(vissl::Params& p) {
    p.integers("dims", vissl::required, vissl::at_least(1), "Width of the input and the output.");
  }
  explicit MyComponent(const vissl::Config& c) : dims_(c.integers("dims")) {
    if (dims_.size() != 2) vissl::fail(VISSL_E_CONFIG, "dims takes two numbers: [input, output]");
  }
  void build(const vissl::nn::Scope& store) {
    linear_ = vissl::nn::Linear(store / "clf", dims_[0], dims_[1]);
  }
  vissl::Tensor forward(const vissl::Tensor& x) const { return linear_(x.flatten(1)); }
  std::int64_t in_channels() const { return dims_[0]; }  // checked before the first step

 private:
  std::vector<std::int64_t> dims_;
  vissl::nn::Linear linear_;
};

}  // namespace

VISSL_HEAD(MyComponent, "my_component", "One linear layer.")
VISSL_PLUGIN("example.my_component", "0.1.0")
