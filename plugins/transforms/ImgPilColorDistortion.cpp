// SimCLR's colour distortion (arXiv:2002.05709, appendix A): ColorJitter(0.8 s, 0.8 s, 0.8 s, 0.2
// s) with probability 0.8, then gray with probability 0.2. Draws: whether to jitter; the jitter's
// draws (vissl/color_jitter.hpp) if so; whether to make it gray.
#include <vissl/color_jitter.hpp>
#include <vissl/transform.hpp>

using namespace vissl;

namespace {

struct ImgPilColorDistortion {
  ColorJitter jitter;

  static void params(Params& p) {
    p.number("strength", 1.0, between(0.0, 2.5), "Scales the four ranges of the jitter.");
    for (const char* name : {"brightness", "contrast", "saturation", "hue"}) {
      p.number(name, optional, "Has no effect, as in VISSL: use strength, or ColorJitter.")
          .deprecated();
    }
  }
  explicit ImgPilColorDistortion(const Config& c)
      : jitter(jitter_of_strength(c.number("strength"))) {}

  void apply(Image& image, Rng& rng) const {
    if (rng.bernoulli(0.8)) jitter.apply(image, rng);
    if (rng.bernoulli(0.2)) image.grayscale(static_cast<std::uint32_t>(image.channels()));
  }
};

}  // namespace

VISSL_TRANSFORM(ImgPilColorDistortion, "ImgPilColorDistortion",
                "Jitters the colours and drops them, as SimCLR does.")
VISSL_PLUGIN("org.vissl.transforms.ImgPilColorDistortion", "1.0.0")
