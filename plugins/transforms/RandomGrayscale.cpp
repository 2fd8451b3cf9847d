// torchvision's RandomGrayscale. Draws one uniform number; below p the image becomes gray and keeps
// its number of channels.
#include <vissl/transform.hpp>

using namespace vissl;

namespace {

struct RandomGrayscale {
  double p;

  static void params(Params& x) {
    x.number("p", 0.1, between(0.0, 1.0), "Probability of a gray image.");
  }
  explicit RandomGrayscale(const Config& c) : p(c.number("p")) {}

  void apply(Image& image, Rng& rng) const {
    if (rng.bernoulli(p)) image.grayscale(static_cast<std::uint32_t>(image.channels()));
  }
};

}  // namespace

VISSL_TRANSFORM(RandomGrayscale, "RandomGrayscale", "Makes the image gray with probability p.")
VISSL_PLUGIN("org.vissl.transforms.RandomGrayscale", "1.0.0")
