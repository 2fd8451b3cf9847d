// Cross entropy, L = -1/N sum_n w_y log softmax(x_n)_y: torch's CrossEntropyLoss for one output,
// and VISSL's cross_entropy_multiple_output_single_target, which sums it over the outputs of
// several heads.
//
// Outputs (N, C); target (N) or (N, 1) class numbers, or (N, C) probabilities. An output (E, N, C)
// is an ensemble: E predictions for the same N targets. Departs from VISSL in three ways: a label
// without class is one clear error, label_smoothing knows ignore_index, and half-precision outputs
// are computed in float32.
#include <vissl/loss.hpp>
#include <vissl/plugin.hpp>

#include <string>
#include <vector>

using namespace vissl;

namespace {

class CrossEntropy {
 public:
  static void add_params(Params& p) {
    p.numbers("weight", optional, at_least(0.0), "Weight of each class.");
    p.integer("ignore_index", -1, "Rows with this label do not count.");
    p.number("label_smoothing", 0.0, between(0.0, 1.0),
             "Share of the target that is spread over all classes.");
  }
  explicit CrossEntropy(const Config& c)
      : ignore_index_(c.integer("ignore_index")), smoothing_(c.number("label_smoothing")) {
    if (c.has("weight")) weight_ = c.numbers("weight");
  }

  Tensor operator()(const Tensor& output, const Tensor& target, Reduction reduction) const {
    if (!target) {
      fail(
          "cross entropy needs a target, but the batch has none; check target_key_names and the "
          "label source of the split");
    }
    const NoAutocast exact;
    const bool half = output.dtype() == Dtype::bf16 || output.dtype() == Dtype::f16;
    Tensor logits = half ? output.to(Dtype::f32) : output;
    Tensor labels = target.dim() == 2 && target.size(1) == 1 ? target.squeeze(1) : target;
    if (logits.dim() == 3 && labels.dim() == 1) {
      labels = labels.repeat(logits.size(0));
      logits = logits.flatten(0, 1);
    }
    const std::int64_t classes = logits.size(1);
    const bool soft = labels.dim() == 2;
    if (!soft) check_labels(labels, classes);
    if (!weight_.empty() && static_cast<std::int64_t>(weight_.size()) != classes) {
      fail(VISSL_E_CONFIG, "the loss has weights for " + std::to_string(weight_.size()) +
                               " classes, but the model's output has " + std::to_string(classes));
    }
    const Tensor weight = weight_.empty() ? Tensor() : Tensor::of(weight_, {classes}).to(logits);
    return cross_entropy(logits, soft ? labels.to(logits) : labels.to(Dtype::i64), weight,
                         ignore_index_, reduction, smoothing_);
  }

 private:
  // libtorch would abort the process, or read memory that is not there, on some devices.
  void check_labels(const Tensor& labels, std::int64_t classes) const {
    const Tensor outside =
        logical_and(logical_or(labels.lt(0), labels.ge(classes)), labels.ne(ignore_index_));
    if (!any(outside).item<std::uint8_t>()) return;
    const std::vector<std::int64_t> wrong = labels.masked_select(outside).to_vector<std::int64_t>();
    fail("label " + std::to_string(wrong.front()) + " has no class: the model's output has " +
         std::to_string(classes) + " classes, 0 to " + std::to_string(classes - 1) +
         "; widen the last layer of the head (dims), or correct the labels of the split");
  }

  std::vector<double> weight_;
  std::int64_t ignore_index_;
  double smoothing_;
};

struct CrossEntropyLoss {
  CrossEntropy cross_entropy;
  Reduction reduction;

  static void params(Params& p) {
    p.vissl_prefix("LOSS.CrossEntropyLoss");
    CrossEntropy::add_params(p);
    p.string("reduction", "mean", one_of("mean", "sum"), "How the rows are joined.");
  }
  explicit CrossEntropyLoss(const Config& c)
      : cross_entropy(c),
        reduction(c.string("reduction") == "sum" ? reduction_sum : reduction_mean) {}
  Tensor forward(const Tensor& output, const Tensor& target) const {
    return cross_entropy(output, target, reduction);
  }
};

struct CrossEntropyMultipleOutput {
  CrossEntropy cross_entropy;
  double temperature;
  bool normalize_output;

  static void params(Params& p) {
    p.vissl_prefix("LOSS.cross_entropy_multiple_output_single_target");
    CrossEntropy::add_params(p);
    p.number("temperature", 1.0, above(0.0), "Divides the outputs.");
    p.boolean("normalize_output", false, "Gives each row of an output unit length first.");
  }
  explicit CrossEntropyMultipleOutput(const Config& c)
      : cross_entropy(c),
        temperature(c.number("temperature")),
        normalize_output(c.boolean("normalize_output")) {}
  Tensor forward(const std::vector<Tensor>& outputs, const Tensor& target) const {
    Tensor total;
    for (const Tensor& output : outputs) {
      const Tensor logits = (normalize_output ? normalize(output, -1) : output) / temperature;
      const Tensor loss = cross_entropy(logits, target, reduction_mean);
      total = total ? total + loss : loss;
    }
    return total;
  }
};

}  // namespace

VISSL_LOSS(CrossEntropyLoss, "CrossEntropyLoss", "Cross entropy of one output and class labels.")
VISSL_LOSS(CrossEntropyMultipleOutput, "cross_entropy_multiple_output_single_target",
           "Cross entropy, summed over the outputs of several heads.")
VISSL_PLUGIN("org.vissl.losses.cross_entropy", "1.0.0")
