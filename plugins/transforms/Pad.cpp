// torchvision's Pad of 8-bit images. No draws.
#include <vissl/padding.hpp>
#include <vissl/transform.hpp>

using namespace vissl;

namespace {

struct Pad {
  Border border;
  Padding padding;

  static void params(Params& p) {
    p.any("padding", required,
          "Pixels for all sides, [left and right, top and bottom], or [left, top, right, bottom].")
        .accepts("an integer, a list of two or a list of four");
    Padding::params(p);
  }
  explicit Pad(const Config& c) : border(read_border(c, "padding")), padding(c) {}

  void apply(Image& image) const { padding.apply(image, border); }
};

}  // namespace

VISSL_TRANSFORM(Pad, "Pad", "Adds borders to the image.")
VISSL_PLUGIN("org.vissl.transforms.Pad", "1.0.0")
