// torchvision's ColorJitter. Draws: the order of the four operations, then the factors of
// brightness, contrast, saturation and hue; a factor that cannot change anything is not drawn.
#include <vissl/color_jitter.hpp>
#include <vissl/transform.hpp>

using namespace vissl;

namespace {

// x = a strength around `neutral`, or [least, greatest].
Range range_of(const Config& c, const char* key, bool hue) {
  const std::vector<double> numbers = one_or_more(c, key);
  const std::string name = key;
  Range range{};
  if (c.at(key).is_list()) {
    range = read_range(numbers, name);
  } else {
    const double x = numbers[0];
    if (!(x >= 0)) {
      fail(VISSL_E_CONFIG, "'" + name + "' must be at least 0, or [least, greatest]");
    }
    range = hue ? Range{-x, x} : vissl::ColorJitter::around_one(x);
  }
  if (hue && !(range.low >= -0.5 && range.high <= 0.5)) {
    fail(VISSL_E_CONFIG, "'hue' must stay within half a turn, -0.5 to 0.5");
  }
  if (!hue && !(range.low >= 0)) {
    fail(VISSL_E_CONFIG, "the factors of '" + name + "' must be at least 0");
  }
  return range;
}

struct Jitter {
  vissl::ColorJitter jitter;

  static void params(Params& p) {
    p.any("brightness", "0.0",
          "x: a factor of the brightness in [max(0, 1 - x), 1 + x]; or [least, greatest].")
        .accepts("a number or [least, greatest]");
    p.any("contrast", "0.0", "The same for the distance from the mean gray.")
        .accepts("a number or [least, greatest]");
    p.any("saturation", "0.0", "The same for the distance from the gray image.")
        .accepts("a number or [least, greatest]");
    p.any("hue", "0.0", "x: a shift in [-x, x] turns, x at most 0.5; or [least, greatest].")
        .accepts("a number or [least, greatest]");
  }
  explicit Jitter(const Config& c)
      : jitter(range_of(c, "brightness", false), range_of(c, "contrast", false),
               range_of(c, "saturation", false), range_of(c, "hue", true)) {}

  void apply(Image& image, Rng& rng) const { jitter.apply(image, rng); }
};

}  // namespace

VISSL_TRANSFORM(Jitter, "ColorJitter",
                "Changes brightness, contrast, saturation and hue at random, in random order.")
VISSL_PLUGIN("org.vissl.transforms.ColorJitter", "1.0.0")
