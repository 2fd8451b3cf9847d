// VISSL's MNISTImgPil2RGB: pastes the image onto a black RGB canvas with its top left corner at
// `box`; a gray image gives three equal channels. No draws.
#include <vissl/crops.hpp>
#include <vissl/transform.hpp>

using namespace vissl;

namespace {

struct MnistToRgb {
  std::vector<std::int64_t> size;  // width, height; empty = the image's
  std::int64_t x, y;

  static void params(Params& p) {
    p.any("size", "[]", "Canvas: pixels of a square, or [width, height]; [] = the image's size.")
        .accepts("an integer, [width, height] or []");
    p.integers("box", {0, 0}, "[x, y] of the image's top left corner on the canvas.");
  }
  explicit MnistToRgb(const Config& c) : size(one_or_more_integers(c, "size", 1)) {
    if (size.size() == 1) size.push_back(size[0]);
    if (size.size() > 2) {
      fail(VISSL_E_CONFIG, "'size' must be an integer, [width, height] or [], not " +
                               std::to_string(size.size()) + " numbers");
    }
    const std::vector<std::int64_t> corner = c.integers("box");
    if (corner.size() != 2) {
      fail(VISSL_E_CONFIG, "'box' needs two numbers, [x, y], not " + std::to_string(corner.size()));
    }
    x = corner[0];
    y = corner[1];
  }

  void apply(Image& image) const {
    const vissl_image_info info = image.info();
    if (info.channels == 1) image.grayscale(3);
    image.crop(-y, -x, size.empty() ? info.height : size[1], size.empty() ? info.width : size[0]);
  }
};

}  // namespace

VISSL_TRANSFORM(MnistToRgb, "MNISTImgPil2RGB", "Pastes a gray image onto a black RGB canvas.")
VISSL_PLUGIN("org.vissl.transforms.MNISTImgPil2RGB", "1.0.0")
