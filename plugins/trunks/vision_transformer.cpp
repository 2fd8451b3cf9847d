// Vision transformer: arXiv:2010.11929, with the stochastic depth of DeiT (arXiv:2012.12877). Names
// of parameters are those of DINO, DeiT and timm. Pre-norm blocks:
//   t = dropout(mask([cls; patches row-major]) + pos_embed)                          (N, T, D)
//   t = norm_pre(t)                                                            with pre_norm
//   t += drop_path(proj(attention(norm1(t)))),  t += drop_path(fc2(gelu(fc1(norm2(t)))))
// ViT-S/16 has hidden_dim 384, num_heads 6, mlp_dim 1536; B/16 the defaults; L/16 num_layers 24,
// hidden_dim 1024, num_heads 16, mlp_dim 4096; those of DINO, DeiT and timm have qkv_bias.
//
// Every feature passes the last norm. i counts blocks from 0, n counts the last blocks:
//   lastCLS (N, D), blkCLS{i} (N, D), concatCLS{n} (N, n D): class tokens, earliest block first
//   lastBLK (N, T, D), concatBLK{n} (N, T, n D): all tokens
//   lastMAP (N, h, w, D): patches of the last block
// and, without a class token, in place of the first line:
//   lastPOOL (N, D), concatPOOL{n} (N, n D): means over the tokens
//   stridePOOL_{count}[_{stride}] (N, count D): from the last block backwards, stride is
//   ceil(num_layers / count) when it is not named, and gives fewer than `count` when it runs out
//
// Images of another size take position embeddings resized as VISSL resizes them. VISSL refuses
// rectangles and, without a class token, every other size; here they work.
#include <vissl/autograd.hpp>
#include <vissl/plugin.hpp>
#include <vissl/trunk.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

using namespace vissl;

namespace {

constexpr double kInitStd = 0.02;

struct Options {
  std::int64_t layers, heads, width, mlp;
  bool qkv_bias;
  double qk_scale;  // 0: 1 / sqrt(width of a head)
  double dropout, attention_dropout;
  double norm_eps;
  bool quick_gelu;
};

class Block {
 public:
  // Drawn under a seed of its own, `number` counting from 0, as VISSL does.
  Block(const nn::Scope& s, std::int64_t number, double drop_path, const Options& o)
      : dropout_{o.dropout}, drop_path_{drop_path}, quick_gelu_(o.quick_gelu) {
    const nn::SeededBlock seeded(s, static_cast<std::uint64_t>(number) + 1);
    discard_default(s, 3 * o.width, o.width, o.qkv_bias);
    discard_default(s, o.width, o.width, true);
    discard_default(s, o.mlp, o.width, true);
    discard_default(s, o.width, o.mlp, true);
    const nn::Init init = nn::Init::trunc_normal(kInitStd), zeros = nn::Init::zeros();
    norm1_ = nn::LayerNorm(s / "norm1", o.width, o.norm_eps);
    attention_ = nn::Attention(s / "attn", o.width, o.heads, o.qkv_bias, o.qk_scale, init);
    attention_.attention_dropout.p = o.attention_dropout;
    attention_.projection_dropout.p = o.dropout;
    norm2_ = nn::LayerNorm(s / "norm2", o.width, o.norm_eps);
    fc1_ = nn::Linear(s / "mlp" / "fc1", o.width, o.mlp, true, init, zeros);
    fc2_ = nn::Linear(s / "mlp" / "fc2", o.mlp, o.width, true, init, zeros);
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  // x (N, T, D) -> (N, T, D).
  Tensor operator()(const Tensor& x, bool training) const {
    const Tensor y = x + drop_path_(attention_(norm1_(x), training), training);
    const Tensor inner = fc1_(norm2_(y));
    const Tensor hidden =
        dropout_(quick_gelu_ ? inner * (inner * 1.702).sigmoid() : inner.gelu(), training);
    return y + drop_path_(dropout_(fc2_(hidden), training), training);
  }

 private:
  // torch's constructor of Linear draws values that VISSL then replaces.
  static void discard_default(const nn::Scope& s, std::int64_t out, std::int64_t in, bool bias) {
    s.discard({out, in}, nn::Init::kaiming_uniform(in));
    if (bias) s.discard({out}, nn::Init::bias_uniform(in));
  }

  nn::LayerNorm norm1_, norm2_;
  nn::Attention attention_;
  nn::Linear fc1_, fc2_;
  nn::Dropout dropout_;
  nn::DropPath drop_path_;
  bool quick_gelu_;
};

// torch's trunc_normal_(std = 0.02), cut at -2 and 2, over a parameter that exists: VISSL draws the
// class token and the position embeddings after layers that come later in the state dict.
void draw_truncated(const Tensor& parameter) {
  const NoGrad initial;
  const double edge = std::erf(2.0 / kInitStd / std::sqrt(2.0));
  parameter.uniform_(-edge, edge);
  parameter.copy_((parameter.erfinv() * (kInitStd * std::sqrt(2.0))).clamp(-2.0, 2.0));
}

class VisionTransformer {
 public:
  static void params(Params& p) {
    p.vissl_prefix("MODEL.TRUNK.VISION_TRANSFORMERS");
    p.integer("image_size", 224, at_least(1),
              "Side of the square images in pixels that the position embeddings are made for.");
    p.integer("patch_size", 16, at_least(1), "Side of a patch in pixels.");
    p.integer("num_layers", 12, between(1, 1000), "Transformer blocks.");
    p.integer("num_heads", 12, at_least(1), "Attention heads; they divide hidden_dim.");
    p.integer("hidden_dim", 768, at_least(1), "Width of a token.");
    p.integer("mlp_dim", 3072, at_least(1), "Inner width of the MLP of a block.");
    p.number("dropout_rate", 0.0, at_least(0.0).below(1.0),
             "Dropout of tokens, of the attention's projection and in the MLP.");
    p.number("attention_dropout_rate", 0.0, at_least(0.0).below(1.0),
             "Dropout of the attention weights.");
    p.number("drop_path_rate", 0.0, at_least(0.0).below(1.0),
             "Stochastic depth of the last block; it grows linearly from 0 at the first.");
    p.boolean("qkv_bias", false, "Gives queries, keys and values a bias.");
    p.number("qk_scale", 0.0, at_least(0.0),
             "Multiplies queries times keys; 0 means 1 / sqrt(width of a head).");
    p.string("activation", "gelu", one_of("gelu", "quick_gelu"),
             "Of the MLPs; quick_gelu is x sigmoid(1.702 x), that of OpenAI's CLIP.")
        .vissl("");
    p.boolean("pre_norm", false, "A layer norm before the first block, as in CLIP.").vissl("");
    p.number("norm_eps", 1e-6, above(0.0), "Added to the variance of layer norms; CLIP's is 1e-5.")
        .vissl("");
    p.boolean("use_class_token", true, "Puts a class token first; false averages the patches.");
    p.string("masked_image_modeling", "", one_of("", "ibot", "msn"),
             "ibot replaces the patches that the input 'mask' marks by a learned vector; msn drops "
             "patches at random, also in evaluation, as VISSL does.")
        .vissl("MODEL.TRUNK.VISION_TRANSFORMERS.MASKED_IMAGE_MODELING.NAME");
    p.number("drop_ratio", 0.0, at_least(0.0).below(1.0), "Share of the patches that msn drops.")
        .vissl("MODEL.TRUNK.VISION_TRANSFORMERS.MASKED_IMAGE_MODELING.PARAMS.drop_ratio");
    p.integer("global_view_tokens", 196, at_least(1),
              "Images with fewer patches keep them all under msn.")
        .vissl("MODEL.TRUNK.VISION_TRANSFORMERS.MASKED_IMAGE_MODELING.PARAMS.global_view_tokens");
  }

  explicit VisionTransformer(const Config& c)
      : options_{c.integer("num_layers"),  c.integer("num_heads"),
                 c.integer("hidden_dim"),  c.integer("mlp_dim"),
                 c.boolean("qkv_bias"),    c.number("qk_scale"),
                 c.number("dropout_rate"), c.number("attention_dropout_rate"),
                 c.number("norm_eps"),     c.string("activation") == "quick_gelu"},
        patch_(c.integer("patch_size")),
        side_(c.integer("image_size") / patch_),
        drop_path_rate_(c.number("drop_path_rate")),
        pre_norm_(c.boolean("pre_norm")),
        class_token_(c.boolean("use_class_token")),
        masking_(c.string("masked_image_modeling")),
        drop_ratio_(c.number("drop_ratio")),
        global_view_tokens_(c.integer("global_view_tokens")) {
    if (side_ < 1)
      fail(VISSL_E_CONFIG, "'patch_size' " + std::to_string(patch_) + " exceeds 'image_size' " +
                               std::to_string(c.integer("image_size")));
    if (options_.width % options_.heads != 0)
      fail(VISSL_E_CONFIG, "'hidden_dim' " + std::to_string(options_.width) +
                               " does not divide into " + std::to_string(options_.heads) +
                               " heads ('num_heads')");
  }

  // VISSL draws the patch embedding, each block under its own seed, then position embeddings and
  // class token; the state dict begins with the last two.
  void build(const nn::Scope& s, const RunFacts& facts) {
    list_features();
    const nn::Scope start = s.at_depth(0);
    const std::int64_t width = options_.width;
    if (class_token_) cls_token_ = start.param("cls_token", {1, 1, width}, nn::Init::zeros());
    nn::Tag position;
    position.flags = VISSL_TAG_POS_EMBED;
    position.pos_prefix = class_token_ ? 1 : 0;
    position.pos_grid_h = position.pos_grid_w = static_cast<std::uint32_t>(side_);
    pos_embed_ = start.param("pos_embed", {1, position.pos_prefix + side_ * side_, width},
                             nn::Init::zeros(), position);
    patch_embed_ = nn::Conv2d((start / "patch_embed" / "proj").tagged(VISSL_TAG_FIRST_CONV),
                              facts.input_channels, width, nn::Conv2d::square(patch_, patch_));
    if (pre_norm_) norm_pre_ = nn::LayerNorm(start / "norm_pre", width, options_.norm_eps);
    const std::vector<double> rates =
        linspace(0.0, drop_path_rate_, options_.layers).to_vector<double>();
    for (std::int64_t i = 0; i < options_.layers; ++i) {
      blocks_.push_back(
          std::make_unique<Block>((s / "blocks" / i).at_depth(static_cast<int>(i) + 1), i,
                                  rates[static_cast<std::size_t>(i)], options_));
    }
    norm_ = nn::LayerNorm((s / "norm").at_depth(static_cast<int>(options_.layers) + 1), width,
                          options_.norm_eps);
    draw_truncated(pos_embed_);
    if (class_token_) draw_truncated(cls_token_);
    if (masking_ == "ibot")
      masked_embed_ =
          (start / "patch_masking").param("masked_embed", {1, width}, nn::Init::zeros());
  }

  std::vector<std::string> features() const {
    std::vector<std::string> names;
    for (const Feature& feature : features_) names.push_back(feature.name);
    return names;
  }
  std::int64_t channels(std::string_view name) const {
    for (const Feature& feature : features_) {
      if (feature.name == name)
        return options_.width * static_cast<std::int64_t>(feature.blocks.size());
    }
    return -1;
  }

  void forward(const TrunkCall& call, Features& out) {
    std::vector<const Feature*> wanted;
    std::vector<bool> needed(blocks_.size(), false);
    for (const Feature& feature : features_) {
      if (!out.wants(feature.name)) continue;
      wanted.push_back(&feature);
      for (const std::size_t block : feature.blocks) needed[block] = true;
    }
    const auto deepest = std::find(needed.rbegin(), needed.rend(), true);
    const auto count = static_cast<std::size_t>(needed.rend() - deepest);
    const Tensor patches = patch_embed_(call.image());  // (N, D, h, w)
    const std::int64_t height = patches.size(2), width = patches.size(3);
    Tensor x = tokens(call, patches, height, width);
    std::vector<Tensor> normed(blocks_.size());
    for (std::size_t i = 0; i < count; ++i) {
      x = block_call("blocks." + std::to_string(i), *blocks_[i], x, call.training());
      if (needed[i]) normed[i] = norm_(x);
    }
    for (const Feature* feature : wanted) {
      std::vector<Tensor> parts;
      for (const std::size_t block : feature->blocks)
        parts.push_back(part(feature->of, normed[block], height, width));
      out.put(feature->name, parts.size() == 1 ? parts[0] : cat(parts, -1));
    }
  }

 private:
  enum class Of { class_token, tokens, map, mean };
  struct Feature {
    std::string name;
    Of of;
    std::vector<std::size_t> blocks;  // in the order of their channels
  };

  void list_features() {
    const auto layers = static_cast<std::size_t>(options_.layers);
    const auto last = [&](std::size_t n) {
      std::vector<std::size_t> blocks;
      for (std::size_t i = layers - n; i < layers; ++i) blocks.push_back(i);
      return blocks;
    };
    const Of of = class_token_ ? Of::class_token : Of::mean;
    const std::string kind = class_token_ ? "CLS" : "POOL";
    for (std::size_t i = 0; class_token_ && i < layers; ++i)
      features_.push_back({"blkCLS" + std::to_string(i), of, {i}});
    for (std::size_t n = 1; n <= layers; ++n)
      features_.push_back({"concat" + kind + std::to_string(n), of, last(n)});
    if (!class_token_) list_strides(layers);
    for (std::size_t n = 1; n <= layers; ++n)
      features_.push_back({"concatBLK" + std::to_string(n), Of::tokens, last(n)});
    features_.push_back({"lastBLK", Of::tokens, last(1)});
    features_.push_back({"lastMAP", Of::map, last(1)});
    features_.push_back({"last" + kind, of, last(1)});
  }
  void list_strides(std::size_t layers) {
    const auto backwards = [&](std::size_t count, std::size_t stride) {
      std::vector<std::size_t> blocks;
      for (std::size_t k = 0; k < count && k * stride < layers; ++k)
        blocks.push_back(layers - 1 - k * stride);
      return blocks;
    };
    for (std::size_t count = 1; count <= layers; ++count) {
      const std::string name = "stridePOOL_" + std::to_string(count);
      features_.push_back({name, Of::mean, backwards(count, (layers + count - 1) / count)});
      for (std::size_t stride = 1; (count - 1) * stride < layers && stride <= layers; ++stride)
        features_.push_back(
            {name + "_" + std::to_string(stride), Of::mean, backwards(count, stride)});
    }
  }

  // What a feature takes of a block's tokens after the norm, x (N, T, D).
  Tensor part(Of of, const Tensor& x, std::int64_t height, std::int64_t width) const {
    if (of == Of::class_token) return x.select(1, 0);
    if (of == Of::tokens) return x;
    if (of == Of::mean) return x.mean(1);
    const std::int64_t prefix = class_token_ ? 1 : 0, count = height * width;
    if (x.size(1) != prefix + count)
      fail("'lastMAP' needs all patches, and masked_image_modeling 'msn' dropped some");
    return x.narrow(1, prefix, count).reshape({x.size(0), height, width, x.size(2)});
  }

  // patches (N, D, h, w) -> what the first block takes, (N, T, D).
  Tensor tokens(const TrunkCall& call, const Tensor& patches, std::int64_t height,
                std::int64_t width) const {
    Tensor x = patches.flatten(2).transpose(1, 2);
    if (masking_ == "ibot") x = mask_patches(x, call.input("mask"));
    if (class_token_) x = cat({cls_token_.expand({x.size(0), -1, -1}), x}, 1);
    x = x + positions(height, width);
    const std::int64_t count = height * width;
    if (masking_ == "msn" && drop_ratio_ > 0.0 && count >= global_view_tokens_)
      x = drop_patches(x, count);
    x = nn::Dropout{options_.dropout}(x, call.training());
    return pre_norm_ ? norm_pre_(x) : x;
  }

  // `mask` (N, h, w) or (N, h w), true at patches to replace; undefined replaces none.
  Tensor mask_patches(const Tensor& x, const Tensor& mask) const {
    if (!mask) return x;
    if (mask.size(0) != x.size(0) || mask.numel() != x.size(0) * x.size(1))
      fail("the input 'mask' has " + std::to_string(mask.numel()) + " elements for " +
           std::to_string(x.size(0)) + " images of " + std::to_string(x.size(1)) + " patches");
    return where(mask.reshape({x.size(0), x.size(1), 1}).to(Dtype::boolean),
                 masked_embed_.to(x.dtype()), x);
  }

  // One choice for the whole batch. The class token stays.
  Tensor drop_patches(const Tensor& x, std::int64_t count) const {
    const auto kept =
        static_cast<std::int64_t>(std::floor(static_cast<double>(count) * (1.0 - drop_ratio_)));
    const vissl::Options places(Dtype::i64, x.device());
    Tensor index = randperm(count, Generator(), places).narrow(0, 0, kept);
    if (class_token_) index = cat({zeros({1}, places), index + 1}, 0);
    return x.index_select(1, index);
  }

  // (1, T, D). The patches' part is resized to another number of patches: bicubic, with the same
  // scale along both axes where that gives the grid, and by the grid's sizes otherwise.
  Tensor positions(std::int64_t height, std::int64_t width) const {
    const std::int64_t count = height * width, known = side_ * side_;
    if (count == known) return pos_embed_;
    const std::int64_t prefix = class_token_ ? 1 : 0;
    const Tensor grid = pos_embed_.narrow(1, prefix, known)
                            .reshape({1, side_, side_, options_.width})
                            .permute({0, 3, 1, 2});
    const double scale = std::sqrt(static_cast<double>(count) / static_cast<double>(known));
    const auto scaled = static_cast<std::int64_t>(std::floor(static_cast<double>(side_) * scale));
    const Tensor resized = scaled == height && scaled == width
                               ? upsample_bicubic2d(grid, std::nullopt, false, {scale, scale})
                               : upsample_bicubic2d(grid, {height, width}, false, std::nullopt);
    const Tensor patches = resized.permute({0, 2, 3, 1}).reshape({1, count, options_.width});
    return class_token_ ? cat({pos_embed_.narrow(1, 0, prefix), patches}, 1) : patches;
  }

  Options options_;
  std::int64_t patch_, side_;  // pixels of a patch, patches along a side
  double drop_path_rate_;
  bool pre_norm_, class_token_;
  std::string masking_;
  double drop_ratio_;
  std::int64_t global_view_tokens_;
  std::vector<Feature> features_;
  Tensor cls_token_, pos_embed_, masked_embed_;
  nn::Conv2d patch_embed_;
  std::vector<std::unique_ptr<Block>> blocks_;
  nn::LayerNorm norm_pre_, norm_;
};

}  // namespace

VISSL_TRUNK(VisionTransformer, "vision_transformer",
            "Vision transformer of any depth, width and patch size, with stochastic depth.")
VISSL_PLUGIN("org.vissl.trunks.vision_transformer", "1.0.0")
