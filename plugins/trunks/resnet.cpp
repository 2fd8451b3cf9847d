// ResNet, ResNeXt and wide ResNet: arXiv:1512.03385, 1611.05431, 1605.07146, with the stride on the
// 3x3 convolution as in torchvision. Without the prefix "_feature_blocks." its names are
// torchvision's. Input (N, C, H, W); features: conv1 (after norm and ReLU), res1 (after the pool),
// res2 … res5 (the stages), res5avg (N, C, 1, 1), flatten (N, C).
//
// VISSL builds torchvision's network first and then makes all layers anew, so its weights have
// torch's default initial values; the draws of the network that is thrown away are made here too,
// which keeps the initial weights bit-equal for the same seed.
#include <vissl/autograd.hpp>
#include <vissl/plugin.hpp>
#include <vissl/trunk.hpp>

#include <array>
#include <memory>
#include <optional>

using namespace vissl;

namespace {

struct Shape {
  std::array<std::int64_t, 4> blocks;
  bool bottleneck;
};

Shape shape_of(std::int64_t depth) {
  switch (depth) {
    case 18:
      return {{2, 2, 2, 2}, false};
    case 34:
      return {{3, 4, 6, 3}, false};
    case 50:
      return {{3, 4, 6, 3}, true};
    case 101:
      return {{3, 4, 23, 3}, true};
    case 152:
      return {{3, 8, 36, 3}, true};
    case 200:
      return {{3, 24, 36, 3}, true};
    default:
      fail("resnet has no shape of depth " + std::to_string(depth));  // its choices have one each
  }
}

struct Options {
  Shape shape{};
  double width = 1.0;  // multiplies all channels
  std::int64_t groups = 1, width_per_group = 64, layer4_stride = 2;
  std::string norm;
  std::int64_t norm_groups = 32;
  bool zero_init_residual = false;
  std::int64_t stem_kernel = 7, stem_stride = 2;
  bool stem_pool = true;

  std::int64_t expansion() const { return shape.bottleneck ? 4 : 1; }
  std::int64_t planes(int stage) const { return static_cast<std::int64_t>(64.0 * width) << stage; }
};

class Norm {
 public:
  Norm() = default;
  Norm(const nn::Scope& s, std::int64_t channels, const Options& o) {
    if (o.norm == "BatchNorm") batch_.emplace(s, channels);
    if (o.norm == "LayerNorm") group_.emplace(s, 1, channels);
    if (o.norm == "GroupNorm") group_.emplace(s, o.norm_groups, channels);
  }
  Tensor operator()(const Tensor& x, bool training) const {
    return batch_ ? (*batch_)(x, training) : (*group_)(x);
  }

 private:
  std::optional<nn::BatchNorm2d> batch_;
  std::optional<nn::GroupNorm> group_;
};

nn::Conv2d conv(const nn::Scope& s, std::int64_t in, std::int64_t out, std::int64_t kernel,
                std::int64_t stride = 1, std::int64_t groups = 1) {
  return nn::Conv2d(s, in, out, nn::Conv2d::square(kernel, stride, kernel / 2, false, groups));
}

// One residual block. Basic: 3x3, 3x3. Bottleneck: 1x1, 3x3, 1x1.
class Block {
 public:
  Block(const nn::Scope& s, std::int64_t in, std::int64_t planes, std::int64_t stride,
        const Options& o) {
    const std::int64_t out = planes * o.expansion();
    const bool projects = stride != 1 || in != out;
    Tensor drawn;  // torchvision draws the projection's weights first and lists them last
    if (projects) drawn = draw_projection(out, in);
    if (o.shape.bottleneck) {
      const auto width = static_cast<std::int64_t>(static_cast<double>(planes) *
                                                   static_cast<double>(o.width_per_group) / 64.0) *
                         o.groups;
      add(s, 1, in, width, 1, 1, 1, o);
      add(s, 2, width, width, 3, stride, o.groups, o);
      add(s, 3, width, out, 1, 1, 1, o);
    } else {
      add(s, 1, in, planes, 3, stride, 1, o);
      add(s, 2, planes, planes, 3, 1, 1, o);
    }
    if (projects) {
      projection_ = nn::Conv2d(s / "downsample" / "0", in, out,
                               nn::Conv2d::square(1, stride, 0, false), nn::Init::zeros());
      const NoGrad initial;
      projection_.weight.copy_(drawn);
      projection_norm_.emplace(s / "downsample" / "1", out, o);
    }
    if (o.zero_init_residual && o.norm == "BatchNorm")
      s.scale("bn" + std::to_string(convs_.size()) + ".weight", 0.0);
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  Tensor operator()(const Tensor& x, bool training) const {
    Tensor y = x;
    for (std::size_t i = 0; i < convs_.size(); ++i) {
      y = norms_[i](convs_[i](y), training);
      if (i + 1 < convs_.size()) y.relu_();
    }
    const Tensor identity = projection_norm_ ? (*projection_norm_)(projection_(x), training) : x;
    return y.add_(identity).relu_();
  }

 private:
  // What the store would draw for the weight of a 1x1 convolution.
  static Tensor draw_projection(std::int64_t out, std::int64_t in) {
    static const Op uniform("aten::uniform_");
    const nn::Init init = nn::Init::kaiming_uniform(in);
    const Tensor weight = zeros({out, in, 1, 1}, Dtype::f32);
    uniform.run({detail::arg(weight), detail::arg(init.a), detail::arg(init.b), detail::none()});
    return weight;
  }

  void add(const nn::Scope& s, int number, std::int64_t in, std::int64_t out, std::int64_t kernel,
           std::int64_t stride, std::int64_t groups, const Options& o) {
    convs_.push_back(conv(s / ("conv" + std::to_string(number)), in, out, kernel, stride, groups));
    norms_.emplace_back(s / ("bn" + std::to_string(number)), out, o);
  }

  std::vector<nn::Conv2d> convs_;
  std::vector<Norm> norms_;
  nn::Conv2d projection_;
  std::optional<Norm> projection_norm_;
};

class Resnet {
 public:
  static void params(Params& p) {
    p.vissl_prefix("MODEL.TRUNK.RESNETS");
    p.integer("depth", 50, one_of({18, 34, 50, 101, 152, 200}), "Layers.");
    p.number("width_multiplier", 1.0, above(0.0), "Multiplies the channels of stem and stages.");
    p.integer("groups", 1, at_least(1), "Groups of the 3x3 convolution (ResNeXt: 32).");
    p.integer("width_per_group", 64, at_least(1),
              "Inner width of a bottleneck per 64 planes and group.");
    p.string("norm", "BatchNorm", one_of("BatchNorm", "LayerNorm", "GroupNorm"),
             "Normalisation; LayerNorm is GroupNorm with one group.");
    p.integer("groupnorm_groups", 32, at_least(1), "Groups of GroupNorm.");
    p.boolean(
        "zero_init_residual", false,
        "Starts the last batch norm of each block at zero; VISSL reads this key and ignores it.");
    p.integer("layer4_stride", 2, between(1, 2), "Stride of the last stage.");
    p.integer("stem_kernel", 7, between(1, 11),
              "Side of the first convolution in pixels; 3 suits small images.")
        .vissl("");
    p.integer("stem_stride", 2, between(1, 4),
              "Stride of the first convolution; 1 suits images of 32 pixels.")
        .vissl("");
    p.boolean("stem_pool", true, "Max pool after the first convolution; false suits small images.")
        .vissl("");
  }

  explicit Resnet(const Config& c) {
    options_.shape = shape_of(c.integer("depth"));
    options_.width = c.number("width_multiplier");
    options_.groups = c.integer("groups");
    options_.width_per_group = c.integer("width_per_group");
    options_.norm = c.string("norm");
    options_.norm_groups = c.integer("groupnorm_groups");
    options_.zero_init_residual = c.boolean("zero_init_residual");
    options_.layer4_stride = c.integer("layer4_stride");
    options_.stem_kernel = c.integer("stem_kernel");
    options_.stem_stride = c.integer("stem_stride");
    options_.stem_pool = c.boolean("stem_pool");
    if (!options_.shape.bottleneck && (options_.groups != 1 || options_.width_per_group != 64)) {
      fail(VISSL_E_CONFIG, "'depth' 18 and 34 of resnet have no groups; use 50 or more");
    }
    if (options_.planes(0) < 1) fail(VISSL_E_CONFIG, "'width_multiplier' leaves no channels");
  }

  void build(const nn::Scope& root, const RunFacts& facts) {
    const nn::Scope s = root / "_feature_blocks";
    discard_torchvision_draws(s);
    const std::int64_t width = options_.planes(0);
    stem_ = nn::Conv2d((s / "conv1").at_depth(0).tagged(VISSL_TAG_FIRST_CONV), facts.input_channels,
                       width,
                       nn::Conv2d::square(options_.stem_kernel, options_.stem_stride,
                                          options_.stem_kernel / 2, false));
    stem_norm_ = Norm((s / "bn1").at_depth(0), width, options_);
    std::int64_t in = width;
    for (int stage = 0; stage < 4; ++stage) {
      const nn::Scope layer = (s / ("layer" + std::to_string(stage + 1))).at_depth(stage + 1);
      const std::int64_t planes = options_.planes(stage);
      for (std::int64_t b = 0; b < options_.shape.blocks[static_cast<std::size_t>(stage)]; ++b) {
        const std::int64_t stride = b > 0 || stage == 0 ? 1
                                    : stage == 3        ? options_.layer4_stride
                                                        : 2;
        layers_[static_cast<std::size_t>(stage)].push_back(
            std::make_unique<Block>(layer / b, in, planes, stride, options_));
        in = planes * options_.expansion();
      }
    }
  }

  std::vector<std::string> features() const {
    return {"conv1", "res1", "res2", "res3", "res4", "res5", "res5avg", "flatten"};
  }

  std::int64_t channels(std::string_view feature) const {
    if (feature == "conv1" || feature == "res1") return options_.planes(0);
    if (feature == "res5avg" || feature == "flatten")
      return options_.planes(3) * options_.expansion();
    return options_.planes(feature.back() - '2') * options_.expansion();
  }

  void forward(const TrunkCall& call, Features& out) {
    const bool training = call.training();
    Tensor x = out.put("conv1", stem_norm_(stem_(call.image()), training).relu_());
    if (out.complete()) return;
    x = out.put("res1", options_.stem_pool ? max_pool2d(x, 3, 2, 1) : x);
    for (std::size_t stage = 0; stage < 4 && !out.complete(); ++stage) {
      for (std::size_t b = 0; b < layers_[stage].size(); ++b) {
        x = block_call("layer" + std::to_string(stage + 1) + "." + std::to_string(b),
                       *layers_[stage][b], x, training);
      }
      out.put("res" + std::to_string(stage + 2), static_cast<const Tensor&>(x));
    }
    if (out.complete()) return;
    x = out.put("res5avg", adaptive_avg_pool2d(x, {1, 1}));
    out.put("flatten", x.flatten(1));
  }

 private:
  // torchvision.models.resnet.ResNet(...) as VISSL calls it: default values of every layer, then
  // Kaiming normal of every convolution.
  void discard_torchvision_draws(const nn::Scope& s) const {
    struct Weight {
      std::int64_t out, in, kernel;
    };
    std::vector<Weight>
        by_module;  // in the order of modules(): the projection comes last in its block
    const auto draw = [&](std::int64_t out, std::int64_t in, std::int64_t k) {
      s.discard({out, in, k, k}, nn::Init::kaiming_uniform(in * k * k));
    };
    draw(64, 3, 7);
    by_module.push_back({64, 3, 7});
    std::int64_t in = 64;
    for (int stage = 0; stage < 4; ++stage) {
      const std::int64_t planes = std::int64_t{64} << stage, out = planes * options_.expansion();
      for (std::int64_t b = 0; b < options_.shape.blocks[static_cast<std::size_t>(stage)]; ++b) {
        const bool projects = b == 0 && (stage > 0 || in != out);
        if (projects) draw(out, in, 1);
        const std::int64_t width = planes * options_.width_per_group / 64 * options_.groups;
        const std::vector<Weight> block =
            options_.shape.bottleneck ? std::vector<Weight>{{width, in, 1},
                                                            {width, width / options_.groups, 3},
                                                            {out, width, 1}}
                                      : std::vector<Weight>{{planes, in, 3}, {planes, planes, 3}};
        for (const Weight& w : block) draw(w.out, w.in, w.kernel);
        for (const Weight& w : block) by_module.push_back(w);
        if (projects) by_module.push_back({out, in, 1});
        in = out;
      }
    }
    s.discard({1000, in}, nn::Init::kaiming_uniform(in));
    s.discard({1000}, nn::Init::bias_uniform(in));
    for (const Weight& w : by_module) {
      s.discard({w.out, w.in, w.kernel, w.kernel},
                nn::Init::kaiming_normal_fan_out(w.out * w.kernel * w.kernel));
    }
  }

  Options options_;
  nn::Conv2d stem_;
  Norm stem_norm_;
  std::array<std::vector<std::unique_ptr<Block>>, 4> layers_;
};

}  // namespace

VISSL_TRUNK(
    Resnet, "resnet",
    "ResNet, ResNeXt and wide ResNet of 18 to 200 layers, with stems for large and small images.")
VISSL_PLUGIN("org.vissl.trunks.resnet", "1.0.0")
