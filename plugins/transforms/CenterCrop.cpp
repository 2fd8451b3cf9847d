// torchvision's CenterCrop: the middle of the image, its top and left edge rounded half to even. A
// side that is too short first gets black borders, the odd pixel right or below.
#include <vissl/crops.hpp>
#include <vissl/transform.hpp>

using namespace vissl;

namespace {

// Where a crop of `crop` pixels begins in `length` pixels; negative = inside the border.
std::int64_t begin(std::int64_t length, std::int64_t crop) {
  if (crop > length) return -((crop - length) / 2);
  return round_half_to_even(static_cast<double>(length - crop) / 2);
}

struct CenterCrop {
  ImageSize size;

  static void params(Params& p) {
    p.any("size", required, "Pixels of a square, or [height, width].")
        .accepts("an integer or [height, width]");
  }
  explicit CenterCrop(const Config& c) : size(read_size(c, "size")) {}

  void apply(Image& image) const {
    const vissl_image_info info = image.info();
    image.crop(begin(info.height, size.height), begin(info.width, size.width), size.height,
               size.width);
  }
};

}  // namespace

VISSL_TRANSFORM(CenterCrop, "CenterCrop", "Cuts the middle of the image out.")
VISSL_PLUGIN("org.vissl.transforms.CenterCrop", "1.0.0")
