// RegNet (arXiv:2003.13678), RegNetZ (arXiv:2103.06877) and AnyNet as VISSL builds them from
// ClassyVision, with its names. Input (N, C, H, W); features: conv1 (the stem), res2 … (one per
// stage, res5 is the last of four), avgpool (N, C, 1, 1), flatten (N, C).
//
// A block of width w with inner width b = w * bottleneck_multiplier and groups of group_width:
//   f = 1x1 to b, norm, act; 3x3 in groups with the stride, norm, act; [se]; 1x1 to w, norm
//   out = act(skip + f), skip = x, or norm(1x1 with the stride) where the shape changes
//   se(y) = y * sigmoid(1x1(act(1x1(mean(y))))), of round(se_ratio * width of the block's input)
#include <vissl/autograd.hpp>
#include <vissl/plugin.hpp>
#include <vissl/trunk.hpp>

#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "design.hpp"

using namespace vissl;
using regnet::Design;
using regnet::nearest;
using regnet::Stage;

namespace {

Tensor activate(const Tensor& x, const Design& d) {
  return d.silu ? x.silu() : x.relu_();
}

// A convolution and its norm, which VISSL's names put in different places.
struct ConvNorm {
  nn::Conv2d conv;
  nn::BatchNorm2d norm;

  ConvNorm(const nn::Scope& conv_scope, const nn::Scope& norm_scope, std::int64_t in,
           std::int64_t out, std::int64_t kernel, std::int64_t stride, std::int64_t groups,
           const Design& d)
      : conv(conv_scope, in, out, nn::Conv2d::square(kernel, stride, kernel / 2, false, groups)),
        norm(norm_scope, out, d.eps, d.momentum) {}
  Tensor operator()(const Tensor& x, bool training) const { return norm(conv(x), training); }
};

struct Excitation {
  nn::Conv2d reduce, expand;

  Excitation(const nn::Scope& s, std::int64_t width, std::int64_t reduced)
      : reduce(s / 0, width, reduced, nn::Conv2d::square(1)),
        expand(s / 2, reduced, width, nn::Conv2d::square(1)) {}
  Tensor operator()(const Tensor& x, const Design& d) const {
    const Tensor squeezed = activate(reduce(adaptive_avg_pool2d(x, {1, 1})), d);
    return x * expand(squeezed).sigmoid();
  }
};

class Block {
 public:
  // `d` outlives the block.
  Block(const nn::Scope& s, std::int64_t in, std::int64_t stride, const Stage& stage,
        const Design& d)
      : design_(d),
        adds_input_(d.block != "vanilla_block"),
        activates_(d.block != "res_bottleneck_linear_block") {
    const std::int64_t out = stage.width;
    const bool changes = in != out || stride != 1;
    if (changes && adds_input_ && activates_)
      projection_.emplace(s / "proj", s / "bn", in, out, 1, stride, 1, d);
    if (changes && !activates_) adds_input_ = false;
    if (d.block == "vanilla_block") {
      add(s / "a" / 0, s / "a" / 1, in, out, 3, stride);
      add(s / "b" / 0, s / "b" / 1, out, out, 3, 1);
    } else if (d.block == "res_basic_block") {
      const nn::Scope f = s / "f";
      add(f / "a" / 0, f / "a" / 1, in, out, 3, stride);
      add(f / "a" / 3, f / "final_bn", out, out, 3, 1);
    } else {
      add_bottleneck(s / "f", in, stride, stage);
    }
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  Tensor operator()(const Tensor& x, bool training) const {
    Tensor y = x;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      y = layers_[i](y, training);
      if (i + 1 < layers_.size()) y = activate(y, design_);
      if (i == 1 && excitation_) y = (*excitation_)(y, design_);
    }
    if (adds_input_) y.add_(projection_ ? (*projection_)(x, training) : x);
    return activates_ ? activate(y, design_) : y;
  }

 private:
  void add(const nn::Scope& conv, const nn::Scope& norm, std::int64_t in, std::int64_t out,
           std::int64_t kernel, std::int64_t stride, std::int64_t groups = 1) {
    layers_.emplace_back(conv, norm, in, out, kernel, stride, groups, design_);
  }
  void add_bottleneck(const nn::Scope& f, std::int64_t in, std::int64_t stride,
                      const Stage& stage) {
    const std::int64_t inner = nearest(static_cast<double>(stage.width) * stage.bottleneck);
    if (stage.group_width < 1 || stage.group_width > inner ||
        inner % (inner / stage.group_width) != 0)
      fail(VISSL_E_CONFIG, "regnet: an inner width of " + std::to_string(inner) +
                               " channels does not divide into groups of " +
                               std::to_string(stage.group_width));
    add(f / "a" / 0, f / "a" / 1, in, inner, 1, 1);
    add(f / "b" / 0, f / "b" / 1, inner, inner, 3, stride, inner / stage.group_width);
    if (design_.se_ratio > 0.0) {
      const std::int64_t reduced = nearest(design_.se_ratio * static_cast<double>(in));
      if (reduced < 1)
        fail(VISSL_E_CONFIG, "'se_ratio' leaves no channel of " + std::to_string(in));
      excitation_.emplace(f / "se" / "excitation", inner, reduced);
    }
    add(f / "c", f / "final_bn", inner, stage.width, 1, 1);
  }

  const Design& design_;
  bool adds_input_, activates_;
  std::optional<ConvNorm> projection_;
  std::vector<ConvNorm> layers_;
  std::optional<Excitation> excitation_;
};

class Regnet {
 public:
  static void params(Params& p) { regnet::declare(p); }
  explicit Regnet(const Config& c) : design_(regnet::read(c)) {}

  void build(const nn::Scope& root, const RunFacts& facts) {
    const nn::Scope s = root / "_feature_blocks";
    const nn::Scope stem = (s / "conv1" / "stem").at_depth(0);
    const std::int64_t kernel = design_.stem == "res_stem_in" ? 7 : 3;
    stem_.emplace((stem / 0).tagged(VISSL_TAG_FIRST_CONV), stem / 1, facts.input_channels,
                  design_.stem_width, kernel, design_.stem == "res_stem_cifar" ? 1 : 2, 1, design_);
    std::int64_t in = design_.stem_width;
    for (std::size_t i = 0; i < design_.stages.size(); ++i) {
      const Stage& stage = design_.stages[i];
      const nn::Scope layer = (s / stage_name(i)).at_depth(static_cast<int>(i) + 1);
      std::vector<std::unique_ptr<Block>>& blocks = stages_.emplace_back();
      for (std::int64_t b = 0; b < stage.depth; ++b) {
        blocks.push_back(std::make_unique<Block>(layer / block_name(i, b), in,
                                                 b == 0 ? stage.stride : 1, stage, design_));
        in = stage.width;
      }
    }
    draw_weights(s);
  }

  std::vector<std::string> features() const {
    std::vector<std::string> names{"conv1"};
    for (std::size_t i = 0; i < design_.stages.size(); ++i) names.push_back(stage_name(i));
    names.insert(names.end(), {"avgpool", "flatten"});
    return names;
  }
  std::int64_t channels(std::string_view feature) const {
    if (feature == "conv1") return design_.stem_width;
    for (std::size_t i = 0; i < design_.stages.size(); ++i)
      if (feature == stage_name(i)) return design_.stages[i].width;
    return design_.stages.back().width;
  }

  void forward(const TrunkCall& call, Features& out) {
    const bool training = call.training();
    Tensor x = activate((*stem_)(call.image(), training), design_);
    if (design_.stem == "res_stem_in") x = max_pool2d(x, 3, 2, 1);
    out.put("conv1", static_cast<const Tensor&>(x));
    for (std::size_t i = 0; i < stages_.size() && !out.complete(); ++i) {
      const std::string name = stage_name(i);
      for (std::size_t b = 0; b < stages_[i].size(); ++b) {
        const auto number = static_cast<std::int64_t>(b);
        x = block_call(name + "." + block_name(i, number), *stages_[i][b], x, training);
      }
      out.put(name, static_cast<const Tensor&>(x));
    }
    if (out.complete()) return;
    x = out.put("avgpool", adaptive_avg_pool2d(x, {1, 1}));
    out.put("flatten", x.flatten(1));
  }

 private:
  static std::string stage_name(std::size_t i) { return "res" + std::to_string(i + 2); }
  static std::string block_name(std::size_t stage, std::int64_t block) {
    return "block" + std::to_string(stage + 1) + "-" + std::to_string(block);
  }
  // ClassyVision draws the weights of all convolutions a second time when everything is built.
  static void draw_weights(const nn::Scope& s) {
    const NoGrad initial;
    for (const nn::Stored& stored : s.entries()) {
      if (stored.module != VISSL_MODULE_CONV || stored.role != VISSL_ROLE_WEIGHT) continue;
      const vissl_tensor_info shape = stored.tensor.info();
      const auto fan_out = static_cast<double>(shape.sizes[0] * shape.sizes[2] * shape.sizes[3]);
      stored.tensor.normal_(0.0, std::sqrt(2.0 / fan_out));
    }
  }

  Design design_;
  std::optional<ConvNorm> stem_;
  std::vector<std::vector<std::unique_ptr<Block>>> stages_;
};

}  // namespace

VISSL_TRUNK(Regnet, "regnet", "RegNetX, RegNetY, RegNetZ and AnyNet of any size.")
VISSL_PLUGIN("org.vissl.trunks.regnet", "1.0.0")
