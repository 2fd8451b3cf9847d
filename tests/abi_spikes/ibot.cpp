// iBOT (arXiv:2111.07832): a mask that a transform draws goes with its sample into the batch, as a
// further input into the trunk, and into the loss.
#include <vissl/collator.hpp>
#include <vissl/head.hpp>
#include <vissl/loss.hpp>
#include <vissl/plugin.hpp>
#include <vissl/transform.hpp>
#include <vissl/trunk.hpp>

#include <optional>

#include "spike.hpp"

using namespace vissl;
using namespace spike;

namespace {

constexpr std::int64_t kPatch = 4, kGlobal = 2, kDim = 8;

// Adds "mask", one (h, w) of booleans per view.
struct RandomMask {
  void apply(Sample& sample) {
    for (std::uint64_t view = 0; view < sample.count("data"); ++view) {
      const vissl_image_info info = sample.image("data", view).info();
      const std::vector<std::int64_t> grid = {info.height / kPatch, info.width / kPatch};
      RngStream rng = sample.rng(view);
      std::vector<std::uint8_t> mask(static_cast<std::size_t>(grid[0] * grid[1]));
      for (std::uint8_t& cell : mask) cell = rng.uniform() < 0.4 ? 1 : 0;
      vissl_array array = array_view(mask.data(), grid);
      array.dtype = VISSL_BOOL;
      sample.set("mask", view, array);
    }
  }
};

// global_views (G * B, …) with mask (G * B, h, w), local_views (L * B, …), all view-major.
struct MaskingCollator {
  void layout(const Sample& first, std::int64_t count, Batch& batch) {
    const auto views = static_cast<std::int64_t>(first.count("data"));
    batch.add_images("global_views", kGlobal * count, first.image("data", 0));
    batch.add_images("local_views", (views - kGlobal) * count, first.image("data", kGlobal));
    batch.add_arrays("mask", kGlobal * count, first.array("mask", 0));
    batch.add_arrays("label", count, first.array("label", 0));
  }
  void place(std::int64_t i, std::int64_t count, Sample& sample, Batch& batch) {
    for (std::int64_t v = 0; v < static_cast<std::int64_t>(sample.count("data")); ++v) {
      const auto view = static_cast<std::uint64_t>(v);
      if (v < kGlobal) {
        batch.write("global_views", 0, v * count + i, sample.image("data", view));
        batch.write("mask", 0, v * count + i, sample.array("mask", view));
      } else {
        batch.write("local_views", 0, (v - kGlobal) * count + i, sample.image("data", view));
      }
    }
    batch.write("label", 0, i, sample.array("label", 0));
  }
};

// Patches as tokens behind one for the image; masked ones become the mask token. (N, 1 + T, D)
class TokenTrunk {
 public:
  void build(const nn::Scope& s) {
    patches_ = nn::Conv2d(s / "patch_embed", 3, kDim, nn::Conv2d::square(kPatch, kPatch, 0));
    token_ = s.param("mask_token", {1, 1, kDim}, nn::Init::normal(0, 1));
  }
  std::vector<std::string> features() const { return {"tokens"}; }
  void forward(const TrunkCall& call, Features& out) const {
    Tensor x = patches_(call.image()).flatten(2).transpose(1, 2);
    if (const Tensor mask = call.input("mask")) {
      expect(mask.dtype() == Dtype::boolean, "the mask is boolean in the trunk");
      const Tensor m = mask.flatten(1).unsqueeze(2).to(x);
      x = x * (1 - m) + token_ * m;
    }
    out.put("tokens", cat({x.mean(Ints(1), true), x}, 1));
  }

 private:
  nn::Conv2d patches_;
  Tensor token_;
};

// Two outputs of one layer: the image's token, the patches' tokens.
struct TokenHead {
  nn::Linear layer;
  void build(const nn::Scope& s) { layer = nn::Linear(s / "layer", kDim, 6); }
  std::vector<Tensor> forward(const Tensor& tokens) const {
    const Tensor y = layer(tokens);
    return {y.select(1, 0), y.narrow(1, 1, y.size(1) - 1)};
  }
};

class Ibot {
 public:
  static constexpr auto events = event_mask(Event::start, Event::forward, Event::end);

  void on_event(Event event, Run& run) {
    if (event == Event::end) return report(run);
    if (event == Event::start) {
      TwinSpec spec;
      spec.from = run.model();
      spec.state_path = "loss.teacher";
      teacher_ = Model::create(spec);
      return;
    }
    Model::Forward options;
    options.names = {"global_views"};  // without its mask
    target_ = teacher_->forward({run.record("global_views")}, options);
    expect(target_.size() == 2, "the mapping runs the views that are given");
    if (run.counters().iteration > 0) teacher_->ema_update(run.model(), 0.9);
  }

  Tensor forward(const LossCall& call, const std::vector<Tensor>& outputs, const Tensor&) {
    expect(outputs.size() == 4, "globals and locals give two outputs each");
    const Tensor mask = call.run().record("mask").flatten(1).to(Dtype::f32);  // (G B, T)
    const Tensor student = outputs[1];
    const double masked = mask.sum().item<double>();
    expect(masked > 0 && masked < static_cast<double>(mask.numel()), "some patches are masked");
    const Tensor first = student.flatten(0, 1).index_select(0, mask.flatten().nonzero().flatten());
    expect_close(first, first.narrow(0, 0, 1).expand_as(first).contiguous(), 1e-6,
                 "all masked patches show the mask token");
    if (call.run().counters().iteration == 0) {
      const Tensor open = (1 - mask).unsqueeze(2);
      expect_close(student * open, target_[1] * open, 1e-6,
                   "other patches are seen by both networks");
    }
    const Tensor ce = -(target_[1].softmax(2) * (student / 0.1).log_softmax(2)).sum(Ints(2));
    const Tensor patches = (ce * mask).sum() / masked;
    const std::int64_t rows = target_[0].size(0) / kGlobal, locals = outputs[2].size(0) / rows;
    Tensor views = zeros(1, Options(Dtype::f32, mask.device()));
    for (std::int64_t v = 0; v < locals; ++v)
      views = views - (target_[0].narrow(0, 0, rows).softmax(1) *
                       (outputs[2].narrow(0, v * rows, rows) / 0.1).log_softmax(1))
                          .sum(Ints(1))
                          .mean();
    call.value("patch", patches);
    return patches + views.squeeze(0);
  }

 private:
  std::optional<Model> teacher_;
  std::vector<Tensor> target_;
};

}  // namespace

VISSL_TRANSFORM(RandomMask, "spike_random_mask", "Draws a mask per view.")
VISSL_COLLATOR(MaskingCollator, "spike_masking_collator", "Global views with masks, local views.")
VISSL_TRUNK(TokenTrunk, "spike_tokens", "Patches, some of them masked.")
VISSL_HEAD(TokenHead, "spike_token_head", "Outputs for the image and for its patches.")
VISSL_LOSS(Ibot, "spike_ibot", "Masked patches against a teacher that sees them.")
VISSL_PLUGIN("org.vissl.spikes.ibot", "1.0.0")
