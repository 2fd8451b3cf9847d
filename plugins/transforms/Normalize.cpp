// torchvision's Normalize of float images: (x - mean[c]) / std[c]; one number serves all channels.
#include <vissl/transform.hpp>

using namespace vissl;

namespace {

struct Normalize {
  std::vector<double> mean, std;

  static void params(Params& p) {
    p.numbers("mean", required, "One number per channel, in units of ToTensor (0 to 1).");
    p.numbers("std", required, above(0.0), "One number per channel.");
  }
  explicit Normalize(const Config& c) : mean(c.numbers("mean")), std(c.numbers("std")) {
    if (mean.size() != std.size() || mean.empty()) {
      fail(VISSL_E_CONFIG,
           "'mean' and 'std' need the same number of values, one per channel, not " +
               std::to_string(mean.size()) + " and " + std::to_string(std.size()));
    }
  }

  void apply(Image& image) const {
    if (mean.size() != 1) return image.normalize(mean, std);
    const auto channels = static_cast<std::size_t>(image.channels());
    image.normalize(std::vector<double>(channels, mean[0]), std::vector<double>(channels, std[0]));
  }
};

}  // namespace

VISSL_TRANSFORM(Normalize, "Normalize",
                "Subtracts the mean and divides by the deviation of each channel.")
VISSL_PLUGIN("org.vissl.transforms.Normalize", "1.0.0")
