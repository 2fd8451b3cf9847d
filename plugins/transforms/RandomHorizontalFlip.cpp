// torchvision's RandomHorizontalFlip. Draws one uniform number; below p the image is mirrored.
#include <vissl/transform.hpp>

using namespace vissl;

namespace {

struct RandomHorizontalFlip {
  double p;

  static void params(Params& x) { x.number("p", 0.5, between(0.0, 1.0), "Probability of a flip."); }
  explicit RandomHorizontalFlip(const Config& c) : p(c.number("p")) {}

  void apply(Image& image, Rng& rng) const {
    if (rng.bernoulli(p)) image.flip_horizontal();
  }
};

}  // namespace

VISSL_TRANSFORM(RandomHorizontalFlip, "RandomHorizontalFlip",
                "Mirrors the image left to right with probability p.")
VISSL_PLUGIN("org.vissl.transforms.RandomHorizontalFlip", "1.0.0")
