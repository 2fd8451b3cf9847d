#pragma once
// A chain of linear layers, each with what follows it: batch norm, activation, dropout. Layers are
// numbered as torch.nn.Sequential numbers them, so those without tensors count too.
//
//   nn::MlpOptions options;
//   options.dims = {2048, 2048, 128};
//   options.norm = true;
//   nn::Mlp layers(s / "projection", options);   // projection.0.weight, projection.1.weight (norm)
//   … Tensor z = layers(x, training);               // (N, 2048) -> (N, 128)
#include <vissl/nn.hpp>

#include <optional>
#include <vector>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {
namespace nn {

enum class Activation { none, relu, gelu };

struct MlpOptions {
  std::vector<std::int64_t> dims;  // widths from the input to the output, at least two
  bool norm = false;               // batch norm after each linear layer
  Activation activation = Activation::relu;
  double dropout = 0.0;               // probability, 0 = no dropout layer
  bool bias = true;                   // of the linear layers
  bool plain_end = true;              // nothing follows the last linear layer
  double eps = 1e-5, momentum = 0.1;  // of the batch norms
  double multiplier = 1.0;            // of the linear layers' initial weights and biases
};

class Mlp {
 public:
  Mlp() = default;
  Mlp(const Scope& scope, const MlpOptions& options)
      : activation_(options.activation), dropout_(options.dropout) {
    if (options.dims.size() < 2) fail(VISSL_E_CONFIG, "an mlp needs at least two widths");
    std::int64_t number = 0;
    for (std::size_t i = 1; i < options.dims.size(); ++i) {
      const Scope place = scope / number++;
      Layer layer;
      layer.linear = Linear(place, options.dims[i - 1], options.dims[i], options.bias);
      if (options.multiplier != 1.0) {
        place.scale("weight", options.multiplier);
        if (options.bias) place.scale("bias", options.multiplier);
      }
      layer.plain = options.plain_end && i + 1 == options.dims.size();
      if (!layer.plain) {
        if (options.norm)
          layer.norm.emplace(scope / number++, options.dims[i], options.eps, options.momentum);
        number += (activation_ != Activation::none ? 1 : 0) + (dropout_ > 0.0 ? 1 : 0);
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
      if (activation_ != Activation::none)
        x = activation_ == Activation::gelu ? x.gelu() : x.relu();
      if (dropout_ > 0.0) x = Dropout{dropout_}(x, training);
    }
    return x;
  }

 private:
  struct Layer {
    Linear linear;
    std::optional<BatchNorm1d> norm;
    bool plain = false;
  };
  std::vector<Layer> layers_;
  Activation activation_ = Activation::none;
  double dropout_ = 0.0;
};

}  // namespace nn
}  // namespace abi1
}  // namespace vissl
