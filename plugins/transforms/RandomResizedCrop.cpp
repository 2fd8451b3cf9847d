// torchvision's RandomResizedCrop: a box of random area and shape, scaled to a fixed size. Draws:
// see random_resized_crop_box in vissl/crops.hpp.
#include <vissl/crops.hpp>
#include <vissl/transform.hpp>

using namespace vissl;

namespace {

struct RandomResizedCrop {
  ImageSize size;
  Range scale, ratio;
  Interpolation interpolation;

  static void params(Params& p) {
    p.any("size", required, "Pixels of a square, or [height, width], of the result.")
        .accepts("an integer or [height, width]");
    p.numbers("scale", {0.08, 1.0}, above(0.0), "Least and greatest part of the image's area.");
    p.numbers("ratio", {3.0 / 4, 4.0 / 3}, above(0.0),
              "Least and greatest width / height of the box.");
    declare_interpolation(p);
  }
  explicit RandomResizedCrop(const Config& c)
      : size(read_size(c, "size")),
        scale(read_range(c.numbers("scale"), "scale")),
        ratio(read_range(c.numbers("ratio"), "ratio")),
        interpolation(read_interpolation(c)) {}

  void apply(Image& image, Rng& rng) const {
    const vissl_image_info info = image.info();
    const CropBox box = random_resized_crop_box(rng, {info.height, info.width}, scale, ratio);
    resized_crop(image, box, size, interpolation);
  }
};

}  // namespace

VISSL_TRANSFORM(RandomResizedCrop, "RandomResizedCrop",
                "Cuts a box of random area and shape out and scales it to a size.")
VISSL_PLUGIN("org.vissl.transforms.RandomResizedCrop", "1.0.0")
