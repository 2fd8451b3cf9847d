// torchvision's RandomVerticalFlip. Draws one uniform number; below p the image is mirrored.
#include <vissl/transform.hpp>

using namespace vissl;

namespace {

struct RandomVerticalFlip {
  double p;

  static void params(Params& x) { x.number("p", 0.5, between(0.0, 1.0), "Probability of a flip."); }
  explicit RandomVerticalFlip(const Config& c) : p(c.number("p")) {}

  void apply(Image& image, Rng& rng) const {
    if (rng.bernoulli(p)) image.flip_vertical();
  }
};

}  // namespace

VISSL_TRANSFORM(RandomVerticalFlip, "RandomVerticalFlip",
                "Mirrors the image top to bottom with probability p.")
VISSL_PLUGIN("org.vissl.transforms.RandomVerticalFlip", "1.0.0")
