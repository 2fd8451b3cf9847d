// torchvision's RandomCrop. Draws: top edge, then left edge, both uniform over the places where
// the crop fits; nothing when the (padded) image has the crop's size already.
#include <vissl/padding.hpp>
#include <vissl/transform.hpp>

using namespace vissl;

namespace {

struct RandomCrop {
  ImageSize size;
  Border border;
  bool pad_if_needed;
  Padding padding;

  static void params(Params& p) {
    p.any("size", required, "Pixels of a square, or [height, width].")
        .accepts("an integer or [height, width]");
    p.any("padding", "0",
          "Borders added first: for all sides, [left and right, top and bottom], or [left, top, "
          "right, bottom].")
        .accepts("an integer, a list of two or a list of four");
    p.boolean("pad_if_needed", false, "Adds borders to both ends of a side that is too short.");
    Padding::params(p);
  }
  explicit RandomCrop(const Config& c)
      : size(read_size(c, "size")),
        border(read_border(c, "padding")),
        pad_if_needed(c.boolean("pad_if_needed")),
        padding(c) {}

  void apply(Image& image, Rng& rng) const {
    const vissl_image_info info = image.info();
    Border add = border;
    std::int64_t height = info.height + add.top + add.bottom;
    std::int64_t width = info.width + add.left + add.right;
    // Each end gets all that is missing, so that the crop can lie anywhere.
    const std::int64_t more_rows =
        pad_if_needed ? std::max<std::int64_t>(size.height - height, 0) : 0;
    const std::int64_t more_columns =
        pad_if_needed ? std::max<std::int64_t>(size.width - width, 0) : 0;
    height += 2 * more_rows;
    width += 2 * more_columns;
    if (size.height > height || size.width > width) {
      fail(VISSL_E_CONFIG, "the crop of " + std::to_string(size.height) + " x " +
                               std::to_string(size.width) + " pixels is larger than the image of " +
                               std::to_string(height) + " x " + std::to_string(width) +
                               "; resize it first, or set pad_if_needed");
    }
    std::int64_t top = 0, left = 0;
    if (height != size.height || width != size.width) {
      top = rng.randint(0, height - size.height + 1);
      left = rng.randint(0, width - size.width + 1);
    }
    if (padding.black()) {  // a crop beyond the image is black
      image.crop(top - add.top - more_rows, left - add.left - more_columns, size.height,
                 size.width);
      return;
    }
    padding.apply(image, add);
    padding.apply(image, {more_columns, 0, more_columns, 0});
    padding.apply(image, {0, more_rows, 0, more_rows});
    image.crop(top, left, size.height, size.width);
  }
};

}  // namespace

VISSL_TRANSFORM(RandomCrop, "RandomCrop", "Cuts a piece of fixed size out at a random place.")
VISSL_PLUGIN("org.vissl.transforms.RandomCrop", "1.0.0")
