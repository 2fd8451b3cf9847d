// A small convolutional trunk in ordinary libtorch C++: what a lab that has its layers in ATen
// already would write. Parameters live in the host's store like everybody's, so that checkpoints,
// freezing, twins and data parallelism work; the arithmetic calls at:: directly. The price: one
// build per libtorch version (torch/native.hpp).
//
// Input (N, 3, H, W). Features conv1, conv2, …: (N, width 2^i, H / 2^i, W / 2^i) with i from 0;
// pooled: the last one's mean, (N, width 2^i).
#include <ATen/ops/conv2d.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/relu.h>

#include <vissl/torch/native.hpp>
#include <vissl/trunk.hpp>

#include <string>
#include <vector>

namespace {

namespace nn = vissl::nn;

constexpr std::int64_t kGroups = 4;

struct Stage {
  // The store's own tensors: a load or a move changes them in place.
  at::Tensor kernel, scale, shift;
  std::int64_t stride;

  Stage(const nn::Scope& s, std::int64_t in, std::int64_t out, std::int64_t step) : stride(step) {
    const nn::Tag conv = {VISSL_ROLE_WEIGHT, VISSL_MODULE_CONV};
    kernel = param(s / "conv", "weight", {out, in, 3, 3}, nn::Init::kaiming_normal_fan_out(out * 9),
                   conv);
    const nn::Scope norm = s / "norm";
    scale = param(norm, "weight", {out}, nn::Init::ones(),
                  {VISSL_ROLE_WEIGHT, VISSL_MODULE_GROUP_NORM});
    shift =
        param(norm, "bias", {out}, nn::Init::zeros(), {VISSL_ROLE_BIAS, VISSL_MODULE_GROUP_NORM});
  }
  at::Tensor operator()(const at::Tensor& x) const {
    const at::Tensor y = at::conv2d(x, kernel, {}, stride, /*padding=*/1);
    return at::relu(at::group_norm(y, kGroups, scale, shift));
  }

 private:
  static at::Tensor param(const nn::Scope& s, const char* name, vissl::Ints shape, nn::Init init,
                          nn::Tag tag) {
    return vissl::to_torch(s.param(name, shape, init, tag));
  }
};

class Convnet {
 public:
  static void params(vissl::Params& p) {
    p.integer("width", 16, vissl::at_least(kGroups), "Channels of the first stage.");
    p.integer("stages", 3, vissl::between(1, 8), "Stages; each but the first halves the picture.");
  }
  explicit Convnet(const vissl::Config& c)
      : width_(c.integer("width")), count_(c.integer("stages")) {
    if (width_ % kGroups != 0) vissl::fail(VISSL_E_CONFIG, "width must be a multiple of 4");
  }

  void build(const nn::Scope& store) {
    for (std::int64_t i = 0; i < count_; ++i) {
      const std::int64_t in = i == 0 ? 3 : width_ << (i - 1);
      stages_.emplace_back(store / ("stage" + std::to_string(i + 1)), in, width_ << i,
                           i == 0 ? 1 : 2);
    }
  }
  std::vector<std::string> features() const {
    std::vector<std::string> names;
    for (std::int64_t i = 0; i < count_; ++i) names.push_back("conv" + std::to_string(i + 1));
    names.push_back("pooled");
    return names;
  }
  void forward(const vissl::TrunkCall& call, vissl::Features& out) const {
    at::Tensor x = vissl::to_torch(call.image());
    for (std::size_t i = 0; i < stages_.size() && !out.complete(); ++i) {
      x = stages_[i](x);
      out.put("conv" + std::to_string(i + 1), vissl::from_torch(x));
    }
    if (!out.complete()) out.put("pooled", vissl::from_torch(at::mean(x, {2, 3})));
  }
  std::int64_t channels(std::string_view feature) const {
    return width_ << (feature == "pooled" ? count_ - 1 : feature.back() - '1');
  }

 private:
  std::int64_t width_, count_;
  std::vector<Stage> stages_;
};

}  // namespace

VISSL_TRUNK(Convnet, "convnet_native", "A small convolutional network in libtorch C++.")
VISSL_NATIVE_PLUGIN("example.convnet_native", "1.0.0")
