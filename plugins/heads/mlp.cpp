// Multi-layer perceptrons on trunk features: `mlp`, and `eval_mlp` with a batch norm of the
// channels before it, for linear evaluation (arXiv:1905.01235).
//
// Names: clf.0.weight, clf.0.bias, clf.1.weight (the batch norm) …; a number counts every layer,
// also ReLU and dropout, which have no tensors. eval_mlp: channel_bn.weight …, clf.clf.0.weight …
#include <vissl/head.hpp>
#include <vissl/mlp.hpp>
#include <vissl/plugin.hpp>

#include <string>
#include <vector>

using namespace vissl;

namespace {

// Their defaults come from model.head_defaults when the config has them there.
void norm_params(Params& p) {
  p.number("batchnorm_eps", 1e-5, above(0.0), "Added to the variance of batch norms.")
      .vissl("MODEL.HEAD.BATCHNORM_EPS");
  p.number("batchnorm_momentum", 0.1, between(0.0, 1.0),
           "Weight of the newest batch in the running statistics.")
      .vissl("MODEL.HEAD.BATCHNORM_MOMENTUM");
  p.number("params_multiplier", 1.0, above(0.0), "Scales the initial weights and biases.")
      .vissl("MODEL.HEAD.PARAMS_MULTIPLIER");
}

std::vector<std::int64_t> widths(const Config& c) {
  const std::vector<std::int64_t> dims = c.integers("dims");
  if (dims.size() < 2) {
    fail(VISSL_E_CONFIG,
         "'dims' needs at least two widths, the input's and the output's, e.g. dims = [2048, 128]");
  }
  return dims;
}

// What both heads read of their configs.
nn::MlpOptions options_of(const Config& c) {
  nn::MlpOptions options;
  options.dims = widths(c);
  options.norm = c.boolean("use_bn");
  options.activation = c.boolean("use_relu") ? nn::Activation::relu : nn::Activation::none;
  options.eps = c.number("batchnorm_eps");
  options.momentum = c.number("batchnorm_momentum");
  options.multiplier = c.number("params_multiplier");
  return options;
}

class Mlp {
 public:
  static void params(Params& p) {
    p.integers("dims", required, at_least(1), "Widths from the input to the output.");
    p.boolean("use_bn", false, "Batch norm after each linear layer.");
    p.boolean("use_relu", false, "ReLU after each linear layer or its batch norm.");
    p.boolean("use_dropout", false, "Dropout with probability 0.5 after each layer.");
    p.boolean("use_bias", true, "Linear layers have a bias.");
    p.boolean("skip_last_layer_relu_bn", true, "Nothing follows the last linear layer.");
    norm_params(p);
  }
  explicit Mlp(const Config& c) : options_(options_of(c)) {
    options_.dropout = c.boolean("use_dropout") ? 0.5 : 0.0;
    options_.bias = c.boolean("use_bias");
    options_.plain_end = c.boolean("skip_last_layer_relu_bn");
  }

  void build(const nn::Scope& s) { layers_ = nn::Mlp(s / "clf", options_); }

  // (N, C), (N, C, 1, 1) … -> (N, dims[-1])
  Tensor forward(const Tensor& x, bool training) const {
    return layers_(x.dim() > 2 ? x.flatten(1) : x, training);
  }
  std::int64_t in_channels() const { return options_.dims.front(); }

 private:
  nn::MlpOptions options_;
  nn::Mlp layers_;
};

class EvalMlp {
 public:
  static void params(Params& p) {
    p.integer("in_channels", required, at_least(1), "Channels of the feature.");
    p.integers(
        "dims", required, at_least(1),
        "Widths from the input to the output; the first counts all values of a feature map.");
    p.boolean("use_bn", false, "Batch norm after each linear layer but the last.");
    p.boolean("use_relu", false, "ReLU after each linear layer but the last.");
    norm_params(p);
  }
  explicit EvalMlp(const Config& c)
      : channels_(c.integer("in_channels")), options_(options_of(c)) {}

  void build(const nn::Scope& s) {
    channel_norm_ = nn::BatchNorm2d(s / "channel_bn", channels_, options_.eps, options_.momentum);
    layers_ = nn::Mlp(s / "clf" / "clf", options_);
  }

  // (N, C) or (N, C, H, W) -> (N, dims[-1])
  Tensor forward(const Tensor& x, bool training) const {
    const Tensor maps = x.dim() == 2 ? x.unsqueeze(2).unsqueeze(3) : x;
    return layers_(channel_norm_(maps, training).flatten(1), training);
  }
  std::int64_t in_channels() const { return channels_; }

 private:
  std::int64_t channels_;
  nn::MlpOptions options_;
  nn::BatchNorm2d channel_norm_;
  nn::Mlp layers_;
};

}  // namespace

VISSL_HEAD(Mlp, "mlp", "Linear layers, optionally with batch norm, ReLU and dropout.")
VISSL_HEAD(EvalMlp, "eval_mlp", "Batch norm of the channels, then an mlp: for linear evaluation.")
VISSL_PLUGIN("org.vissl.heads.mlp", "1.0.0")
