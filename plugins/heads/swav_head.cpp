// The head of SwAV (arXiv:2006.09882): a projection to an embedding of unit length, and its
// similarities to one or more sets of prototypes. Also used by DeepCluster v2 and MSN-like methods.
//
// Names: projection_head.0.weight …, prototypes0.weight (K, D) without bias; with
// use_weight_norm_prototypes prototypes0.weight_g (K, 1) and prototypes0.weight_v (K, D), W = g v /
// |v| per row.
#include <vissl/head.hpp>
#include <vissl/mlp.hpp>
#include <vissl/plugin.hpp>

#include <string>
#include <vector>

using namespace vissl;

namespace {

class Prototypes {
 public:
  Prototypes(const nn::Scope& s, std::int64_t dim, std::int64_t count, bool weight_norm,
             bool fixed_length) {
    if (!weight_norm) {
      weight_ = nn::Linear(s, dim, count, false).weight;
      return;
    }
    constexpr nn::Tag kWeight{VISSL_ROLE_WEIGHT, VISSL_MODULE_LINEAR};
    const nn::Tag length{VISSL_ROLE_WEIGHT, VISSL_MODULE_LINEAR,
                         fixed_length ? VISSL_TAG_NO_GRAD : 0u};
    length_ = s.param("weight_g", {count, 1}, nn::Init::ones(), length);
    weight_ = s.param("weight_v", {count, dim}, nn::Init::kaiming_uniform(dim), kWeight);
  }
  // (N, D) -> (N, K)
  Tensor operator()(const Tensor& x) const {
    if (!length_) return linear(x, weight_);
    return linear(x, weight_ * (length_ / linalg_vector_norm(weight_, 2, 1, true)));
  }

 private:
  Tensor weight_, length_;
};

class SwavHead {
 public:
  static void params(Params& p) {
    p.integers("dims", required, at_least(1), "Widths from the input to the embedding.");
    p.boolean("use_bn", required, "Batch norm after each linear layer.");
    p.integers("num_clusters", required, at_least(1), "Prototypes of each set.");
    p.boolean("use_bias", true, "Linear layers of the projection have a bias.");
    p.boolean("return_embeddings", true, "The first output is the embedding.");
    p.boolean("skip_last_bn", true, "Nothing follows the last linear layer.");
    p.boolean("normalize_feats", true, "Embeddings have unit length.");
    p.string("activation_name", "ReLU", one_of("ReLU", "GELU"), "Follows each linear layer.");
    p.boolean("use_weight_norm_prototypes", false,
              "Prototypes as a direction and a length that starts at 1.");
    p.boolean("normalize_last_layer", false,
              "Fixes the length of weight-normed prototypes at 1; needs "
              "use_weight_norm_prototypes.");
    p.number("batchnorm_eps", 1e-5, above(0.0), "Added to the variance of batch norms.")
        .vissl("MODEL.HEAD.BATCHNORM_EPS");
    p.number("batchnorm_momentum", 0.1, between(0.0, 1.0),
             "Weight of the newest batch in the running statistics.")
        .vissl("MODEL.HEAD.BATCHNORM_MOMENTUM");
  }
  explicit SwavHead(const Config& c)
      : clusters_(c.integers("num_clusters")),
        embeddings_(c.boolean("return_embeddings")),
        normalize_(c.boolean("normalize_feats")),
        weight_norm_(c.boolean("use_weight_norm_prototypes")),
        fixed_length_(c.boolean("normalize_last_layer")) {
    projection_.dims = c.integers("dims");
    projection_.norm = c.boolean("use_bn");
    projection_.activation =
        c.string("activation_name") == "GELU" ? nn::Activation::gelu : nn::Activation::relu;
    projection_.bias = c.boolean("use_bias");
    projection_.plain_end = c.boolean("skip_last_bn");
    projection_.eps = c.number("batchnorm_eps");
    projection_.momentum = c.number("batchnorm_momentum");
    if (projection_.dims.size() < 2) {
      fail(VISSL_E_CONFIG,
           "'dims' needs at least two widths, the input's and the embedding's, e.g. dims = [2048, "
           "2048, 128]");
    }
    if (fixed_length_ && !weight_norm_) {
      fail(VISSL_E_CONFIG,
           "'normalize_last_layer' of swav_head works on weight-normed "
           "prototypes only; set use_weight_norm_prototypes = true, "
           "or normalize_last_layer of the loss instead");
    }
    if (clusters_.empty() && !embeddings_) {
      fail(VISSL_E_CONFIG,
           "swav_head without prototypes and without embeddings has "
           "no output; list num_clusters or set return_embeddings");
    }
  }

  void build(const nn::Scope& s) {
    layers_ = nn::Mlp(s / "projection_head", projection_);
    for (std::size_t k = 0; k < clusters_.size(); ++k) {
      prototypes_.emplace_back(s / ("prototypes" + std::to_string(k)), projection_.dims.back(),
                               clusters_[k], weight_norm_, fixed_length_);
    }
  }

  // (N, dims[0]) -> [embedding (N, dims[-1])], scores (N, K) of each set
  std::vector<Tensor> forward(const Tensor& feature, bool training) const {
    Tensor x = feature.dim() > 2 ? feature.flatten(1) : feature;
    x = layers_(x, training);
    if (normalize_) x = normalize(x, 1);
    std::vector<Tensor> outputs;
    if (embeddings_) outputs.push_back(x);
    for (const Prototypes& set : prototypes_) outputs.push_back(set(x));
    return outputs;
  }
  std::int64_t in_channels() const { return projection_.dims.front(); }

 private:
  nn::MlpOptions projection_;
  std::vector<std::int64_t> clusters_;
  bool embeddings_, normalize_, weight_norm_, fixed_length_;
  nn::Mlp layers_;
  std::vector<Prototypes> prototypes_;
};

}  // namespace

VISSL_HEAD(SwavHead, "swav_head", "Projection to an embedding and its scores against prototypes.")
VISSL_PLUGIN("org.vissl.heads.swav_head", "1.0.0")
