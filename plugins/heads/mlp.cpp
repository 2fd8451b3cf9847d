// Multi-layer perceptrons on trunk features: `mlp`, and `eval_mlp` with a batch norm of the
// channels before it, for linear evaluation (arXiv:1905.01235).
//
// Names: clf.0.weight, clf.0.bias, clf.1.weight (the batch norm) …; a number counts every layer,
// also ReLU and dropout, which have no tensors. eval_mlp: channel_bn.weight …, clf.clf.0.weight …
#include <vissl/head.hpp>
#include <vissl/plugin.hpp>

#include <memory>
#include <optional>
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

// Linear [, batch norm] [, ReLU] [, dropout] for each pair of widths.
class Layers {
 public:
  struct Options {
    std::vector<std::int64_t> dims;
    bool norm, relu, dropout, bias, plain_end;
    double eps, momentum, multiplier;
  };

  Layers(const nn::Scope& clf, const Options& o) : relu_(o.relu), dropout_(o.dropout) {
    std::int64_t number = 0;
    for (std::size_t i = 1; i < o.dims.size(); ++i) {
      const nn::Scope scope = clf / number++;
      Layer layer;
      layer.linear = nn::Linear(scope, o.dims[i - 1], o.dims[i], o.bias);
      if (o.multiplier != 1.0) {
        scope.scale("weight", o.multiplier);
        if (o.bias) scope.scale("bias", o.multiplier);
      }
      layer.plain = o.plain_end && i + 1 == o.dims.size();
      if (!layer.plain) {
        if (o.norm) layer.norm.emplace(clf / number++, o.dims[i], o.eps, o.momentum);
        number += (o.relu ? 1 : 0) + (o.dropout ? 1 : 0);
      }
      layers_.push_back(std::move(layer));
    }
  }

  // (N, dims[0]) -> (N, dims[-1])
  Tensor operator()(Tensor x, bool training) const {
    for (const Layer& layer : layers_) {
      x = layer.linear(x);
      if (layer.norm) x = (*layer.norm)(x, training);
      if (layer.plain) continue;
      if (relu_) x = x.relu();
      if (dropout_) x = nn::Dropout{0.5}(x, training);
    }
    return x;
  }

 private:
  struct Layer {
    nn::Linear linear;
    std::optional<nn::BatchNorm1d> norm;
    bool plain = false;  // nothing follows the linear layer
  };
  std::vector<Layer> layers_;
  bool relu_, dropout_;
};

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
  explicit Mlp(const Config& c)
      : options_{widths(c),
                 c.boolean("use_bn"),
                 c.boolean("use_relu"),
                 c.boolean("use_dropout"),
                 c.boolean("use_bias"),
                 c.boolean("skip_last_layer_relu_bn"),
                 c.number("batchnorm_eps"),
                 c.number("batchnorm_momentum"),
                 c.number("params_multiplier")} {}

  void build(const nn::Scope& s) { layers_ = std::make_unique<Layers>(s / "clf", options_); }

  // (N, C), (N, C, 1, 1) … -> (N, dims[-1])
  Tensor forward(const Tensor& x, bool training) const {
    return (*layers_)(x.dim() > 2 ? x.flatten(1) : x, training);
  }
  std::int64_t in_channels() const { return options_.dims.front(); }

 private:
  Layers::Options options_;
  std::unique_ptr<Layers> layers_;
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
      : channels_(c.integer("in_channels")),
        options_{widths(c),
                 c.boolean("use_bn"),
                 c.boolean("use_relu"),
                 false,
                 true,
                 true,
                 c.number("batchnorm_eps"),
                 c.number("batchnorm_momentum"),
                 c.number("params_multiplier")} {}

  void build(const nn::Scope& s) {
    channel_norm_ = nn::BatchNorm2d(s / "channel_bn", channels_, options_.eps, options_.momentum);
    layers_ = std::make_unique<Layers>(s / "clf" / "clf", options_);
  }

  // (N, C) or (N, C, H, W) -> (N, dims[-1])
  Tensor forward(const Tensor& x, bool training) const {
    const Tensor maps = x.dim() == 2 ? x.unsqueeze(2).unsqueeze(3) : x;
    return (*layers_)(channel_norm_(maps, training).flatten(1), training);
  }
  std::int64_t in_channels() const { return channels_; }

 private:
  std::int64_t channels_;
  Layers::Options options_;
  nn::BatchNorm2d channel_norm_;
  std::unique_ptr<Layers> layers_;
};

}  // namespace

VISSL_HEAD(Mlp, "mlp", "Linear layers, optionally with batch norm, ReLU and dropout.")
VISSL_HEAD(EvalMlp, "eval_mlp", "Batch norm of the channels, then an mlp: for linear evaluation.")
VISSL_PLUGIN("org.vissl.heads.mlp", "1.0.0")
