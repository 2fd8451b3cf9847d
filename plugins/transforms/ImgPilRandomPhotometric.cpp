// VISSL's ImgPilRandomPhotometric, for PIRL: with probability p all of posterize, sharpness,
// solarize and autocontrast, in this order. Draws: whether to do it; bits to keep, 4 to 8;
// sharpness in [0.1, 1.9]; threshold, 0 to 256.
#include <vissl/tone.hpp>
#include <vissl/transform.hpp>

using namespace vissl;

namespace {

struct ImgPilRandomPhotometric {
  double p;

  static void params(Params& x) {
    x.number("p", 0.66, between(0.0, 1.0), "Probability of a change.");
  }
  explicit ImgPilRandomPhotometric(const Config& c) : p(c.number("p")) {}

  void apply(Image& image, Rng& rng) const {
    if (!rng.bernoulli(p)) return;
    image.map(posterize_table(rng.randint(4, 9)));
    image.sharpness(rng.uniform(0.1, 1.9));
    image.map(solarize_table(rng.randint(0, 257)));
    image.autocontrast();
  }
};

}  // namespace

VISSL_TRANSFORM(ImgPilRandomPhotometric, "ImgPilRandomPhotometric",
                "Posterizes, sharpens, solarizes and stretches the contrast, with probability p.")
VISSL_PLUGIN("org.vissl.transforms.ImgPilRandomPhotometric", "1.0.0")
