// my_component: a transform, which changes one image. All randomness comes from `rng`, whose draws
// depend on seed, sample and view, never on the worker: the same result for any number of workers.
#include <vissl/plugin.hpp>
#include <vissl/transform.hpp>

namespace {

struct MyComponent {
  double p, factor;

  static void params(vissl::Params& x) {
    x.number("p", 0.5, vissl::between(0.0, 1.0), "Probability of a change.");
    x.number("factor", 0.5, vissl::at_least(0.0), "Brightness; 1 leaves the image as it is.");
  }
  explicit MyComponent(const vissl::Config& c) : p(c.number("p")), factor(c.number("factor")) {}

  // Image works in place; edit_bytes() gives its pixels, (H, W, C). For whole samples:
  // apply(vissl::Sample&).
  void apply(vissl::Image& image, vissl::Rng& rng) const {
    if (rng.bernoulli(p)) image.brightness(factor);
  }
};

}  // namespace

VISSL_TRANSFORM(MyComponent, "my_component", "Changes the brightness with probability p.")
VISSL_PLUGIN("example.my_component", "0.1.0")
