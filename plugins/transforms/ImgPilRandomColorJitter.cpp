// VISSL's ImgPilRandomColorJitter: ColorJitter(0.8 s, 0.8 s, 0.8 s, 0.2 s) with probability p.
// Draws: whether to jitter, then the jitter's draws (vissl/color_jitter.hpp).
#include <vissl/color_jitter.hpp>
#include <vissl/transform.hpp>

using namespace vissl;

namespace {

struct ImgPilRandomColorJitter {
  double p;
  ColorJitter jitter;

  static void params(Params& x) {
    x.number("strength", 1.0, between(0.0, 2.5), "Scales the four ranges of the jitter.");
    x.number("p", 0.8, between(0.0, 1.0), "Probability of a jitter.");
  }
  explicit ImgPilRandomColorJitter(const Config& c)
      : p(c.number("p")), jitter(jitter_of_strength(c.number("strength"))) {}

  void apply(Image& image, Rng& rng) const {
    if (rng.bernoulli(p)) jitter.apply(image, rng);
  }
};

}  // namespace

VISSL_TRANSFORM(ImgPilRandomColorJitter, "ImgPilRandomColorJitter",
                "Jitters the colours with probability p.")
VISSL_PLUGIN("org.vissl.transforms.ImgPilRandomColorJitter", "1.0.0")
