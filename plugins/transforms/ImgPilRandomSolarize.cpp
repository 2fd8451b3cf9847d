// VISSL's ImgPilRandomSolarize: inverts the values from a random threshold on. Draws: whether to do
// it; the threshold, an integer from 0 (inverts all) to 256 (none). BYOL fixes it at 128 instead
// (arXiv:2006.07733, appendix B).
#include <vissl/tone.hpp>
#include <vissl/transform.hpp>

using namespace vissl;

namespace {

struct ImgPilRandomSolarize {
  double p;

  static void params(Params& x) {
    x.number("p", 0.66, between(0.0, 1.0), "Probability of a change.");
  }
  explicit ImgPilRandomSolarize(const Config& c) : p(c.number("p")) {}

  void apply(Image& image, Rng& rng) const {
    if (rng.bernoulli(p)) image.map(solarize_table(rng.randint(0, 257)));
  }
};

}  // namespace

VISSL_TRANSFORM(ImgPilRandomSolarize, "ImgPilRandomSolarize",
                "Inverts values from a random threshold on, with probability p.")
VISSL_PLUGIN("org.vissl.transforms.ImgPilRandomSolarize", "1.0.0")
