// Cross entropy with a penalty on confident output distributions (Pereyra et al., "Regularizing
// neural networks by penalizing confident output distributions", arXiv:1701.06548, section 3.1):
//
//   L = mean_n( -log p_n(y_n) - beta H(p_n) ),   H(p) = -sum_c p_c log p_c,   p = softmax(x)
//
// Outputs (N, C), target (N) class numbers. Each row counts alone, so the mean over the ranks
// equals the loss of the joined batch, which is what RankReduction says by default.
#include <vissl/loss.hpp>
#include <vissl/plugin.hpp>

using vissl::Tensor;

namespace {

struct ConfidencePenalty {
  double beta;

  static void params(vissl::Params& p) {
    p.number("beta", 0.1, vissl::at_least(0.0), "Weight of the penalty.");
  }
  explicit ConfidencePenalty(const vissl::Config& c) : beta(c.number("beta")) {}

  Tensor forward(const vissl::LossCall& call, const Tensor& logits, const Tensor& target) const {
    const Tensor log_p = vissl::log_softmax(logits, 1);                                 // (N, C)
    const Tensor entropy = vissl::mean(vissl::sum(vissl::exp(log_p) * log_p, 1)) * -1;  // ()
    call.value("entropy", entropy);  // logged as loss.entropy
    return vissl::cross_entropy(logits, target) - entropy * beta;
  }
};

}  // namespace

VISSL_LOSS(ConfidencePenalty, "confidence_penalty",
           "Cross entropy with a penalty on confident outputs.")
VISSL_PLUGIN("example.confidence_penalty", "1.0.0")
