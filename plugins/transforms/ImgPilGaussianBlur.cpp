// SimCLR's blur (arXiv:2002.05709, appendix A) with Pillow's filter. Draws: whether to blur, then
// the radius, which is the standard deviation in pixels whatever the size of the image.
#include <vissl/crops.hpp>
#include <vissl/transform.hpp>

using namespace vissl;

namespace {

struct ImgPilGaussianBlur {
  double p;
  Range radius;

  static void params(Params& x) {
    x.number("p", 0.5, between(0.0, 1.0), "Probability of a blur.");
    x.number("radius_min", 0.1, at_least(0.0), "Least standard deviation, in pixels.");
    x.number("radius_max", 2.0, at_least(0.0), "Greatest standard deviation, in pixels.");
  }
  explicit ImgPilGaussianBlur(const Config& c)
      : p(c.number("p")),
        radius(read_range({c.number("radius_min"), c.number("radius_max")},
                          "radius_min .. radius_max")) {}

  void apply(Image& image, Rng& rng) const {
    if (rng.bernoulli(p)) image.gaussian_blur(rng.uniform(radius.low, radius.high));
  }
};

}  // namespace

VISSL_TRANSFORM(ImgPilGaussianBlur, "ImgPilGaussianBlur",
                "Blurs with a random radius, with probability p.")
VISSL_PLUGIN("org.vissl.transforms.ImgPilGaussianBlur", "1.0.0")
