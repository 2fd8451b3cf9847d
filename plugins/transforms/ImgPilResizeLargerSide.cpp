// VISSL's ImgPilResizeLargerSide: both sides times size / longer side, rounded half to even. No
// draws.
#include <vissl/crops.hpp>
#include <vissl/transform.hpp>

using namespace vissl;

namespace {

struct ImgPilResizeLargerSide {
  std::int64_t size;

  static void params(Params& p) {
    p.integer("size", 1024, at_least(1), "Pixels of the longer side.");
  }
  explicit ImgPilResizeLargerSide(const Config& c) : size(c.integer("size")) {}

  void apply(Image& image) const {
    const vissl_image_info info = image.info();
    const double longer = static_cast<double>(std::max(info.height, info.width));
    const auto scaled = [&](std::int64_t side) {
      return std::max<std::int64_t>(round_half_to_even(static_cast<double>(side * size) / longer),
                                    1);
    };
    image.resize(scaled(info.height), scaled(info.width));
  }
};

}  // namespace

VISSL_TRANSFORM(ImgPilResizeLargerSide, "ImgPilResizeLargerSide",
                "Scales the longer side to a size.")
VISSL_PLUGIN("org.vissl.transforms.ImgPilResizeLargerSide", "1.0.0")
