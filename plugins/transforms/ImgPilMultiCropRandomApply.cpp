// VISSL's ImgPilMultiCropRandomApply: applies `transforms` to view i with probability prob[i], all
// of them or none. Draws, with the stream of the view: whether to apply them, then their own draws,
// one after the other.
#include <vissl/components.hpp>
#include <vissl/transform.hpp>

using namespace vissl;

namespace {

struct MultiCropRandomApply {
  std::vector<InnerTransform> transforms;
  std::vector<double> prob;

  static void params(Params& p) {
    p.components("transforms", "transform", "[]",
                 "Transforms of single images; give those with a probability of their own p = 1.");
    p.numbers("prob", {}, between(0.0, 1.0), "Probability for each view of the sample.");
  }
  explicit MultiCropRandomApply(const Config& c) : prob(c.numbers("prob")) {
    for (const Config& inner : c.list("transforms")) {
      transforms.emplace_back(inner);
      if (transforms.back().table().apply_image == nullptr) {
        fail(VISSL_E_CONFIG, "'" + inner.string("name") +
                                 "' works on the whole sample and cannot stand in 'transforms'");
      }
    }
  }

  void apply(Sample& sample) {
    const std::uint64_t views = sample.count("data");
    if (prob.size() != views) {
      fail(VISSL_E_CONFIG, "'prob' has " + std::to_string(prob.size()) +
                               " numbers and the sample " + std::to_string(views) +
                               " views; it needs one for each");
    }
    for (std::uint64_t view = 0; view < views; ++view) {
      RngStream rng = sample.rng(view);
      if (!rng.bernoulli(prob[view])) continue;
      Image image = sample.image("data", view);
      for (InnerTransform& transform : transforms) transform.apply(image, rng.stream());
    }
  }
};

}  // namespace

VISSL_TRANSFORM(MultiCropRandomApply, "ImgPilMultiCropRandomApply",
                "Applies transforms to each view with a probability of its own.")
VISSL_PLUGIN("org.vissl.transforms.ImgPilMultiCropRandomApply", "1.0.0")
