// torchvision's Resize of 8-bit images, with antialiasing. size = s scales the shorter side to s
// and the longer one to int(s * longer / shorter); size = [height, width] is exact.
#include <vissl/crops.hpp>
#include <vissl/transform.hpp>

#include <optional>

using namespace vissl;

namespace {

struct Resize {
  ImageSize size;
  bool shorter_side;
  std::optional<std::int64_t> max_size;
  Interpolation interpolation;

  static void params(Params& p) {
    p.any("size", required, "Pixels of the shorter side, or [height, width].")
        .accepts("an integer or [height, width]");
    p.integer("max_size", optional, at_least(1), "Most pixels of the longer side.");
    declare_interpolation(p);
  }
  explicit Resize(const Config& c)
      : size(read_size(c, "size")),
        shorter_side(one_or_more(c, "size").size() == 1),
        interpolation(read_interpolation(c)) {
    if (!c.has("max_size")) return;
    max_size = c.integer("max_size");
    if (!shorter_side) {
      fail(VISSL_E_CONFIG, "'max_size' needs a 'size' of one number: two fix both sides already");
    }
    if (*max_size <= size.height) {
      fail(VISSL_E_CONFIG,
           "'max_size' must be greater than 'size', which is " + std::to_string(size.height));
    }
  }

  void apply(Image& image) const {
    const ImageSize out = shorter_side ? scaled(image.height(), image.width()) : size;
    image.resize(out.height, out.width, interpolation);
  }

 private:
  ImageSize scaled(std::int64_t height, std::int64_t width) const {
    const auto part = [](std::int64_t a, std::int64_t b, std::int64_t c) {
      return std::max<std::int64_t>(
          static_cast<std::int64_t>(static_cast<double>(a * b) / static_cast<double>(c)), 1);
    };
    std::int64_t shorter = size.height;
    std::int64_t longer = part(shorter, std::max(height, width), std::min(height, width));
    if (max_size && longer > *max_size) {
      shorter = part(*max_size, shorter, longer);
      longer = *max_size;
    }
    return width <= height ? ImageSize{longer, shorter} : ImageSize{shorter, longer};
  }
};

}  // namespace

VISSL_TRANSFORM(Resize, "Resize", "Scales the image, its shorter side or both sides to a size.")
VISSL_PLUGIN("org.vissl.transforms.Resize", "1.0.0")
