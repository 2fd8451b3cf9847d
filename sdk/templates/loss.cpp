// my_component: a loss. Say here which paper and section it follows, its equation, and the rows of
// its input:
//
//   L = mean_n -log softmax(x_n / t)_(y_n)
//
// Output (N, C), target (N) class numbers. A mean over rows: the mean over the ranks is the joined
// batch's loss, which is what RankReduction says by default (loss.hpp).
#include <vissl/loss.hpp>
#include <vissl/plugin.hpp>

namespace {

struct MyComponent {
  double temperature;

  static void params(vissl::Params& p) {
    p.number("temperature", 1.0, vissl::above(0.0), "Divides the outputs.");
  }
  explicit MyComponent(const vissl::Config& c) : temperature(c.number("temperature")) {}

  vissl::Tensor forward(const vissl::LossCall& call, const vissl::Tensor& output,
                        const vissl::Tensor& target) const {
    const vissl::Tensor logits = output / temperature;
    const vissl::Tensor confidence = vissl::exp(vissl::amax(vissl::log_softmax(logits, 1), 1));
    call.value("confidence", vissl::mean(confidence));  // logged beside the loss
    return vissl::cross_entropy(logits, target);
  }
};

}  // namespace

VISSL_LOSS(MyComponent, "my_component", "Cross entropy with a temperature.")
VISSL_PLUGIN("example.my_component", "0.1.0")
