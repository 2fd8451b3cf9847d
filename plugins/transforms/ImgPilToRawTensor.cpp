// VISSL's ImgPilToRawTensor: 8-bit (H, W, C) to float32 (C, H, W) without a division, for models
// that were trained on values from 0 to 255. No draws.
#include <vissl/transform.hpp>

using namespace vissl;

namespace {

struct ImgPilToRawTensor {
  void apply(Image& image) const {
    const vissl_image_info info = image.info();
    const auto channels = static_cast<std::size_t>(info.channels);
    const auto pixels = static_cast<std::size_t>(info.height * info.width);
    const std::uint8_t* hwc = image.bytes();
    std::vector<float> chw(channels * pixels);
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t i = 0; i < pixels; ++i) chw[c * pixels + i] = hwc[i * channels + c];
    }
    image.set_floats(info.height, info.width, info.channels, chw.data());
  }
};

}  // namespace

VISSL_TRANSFORM(ImgPilToRawTensor, "ImgPilToRawTensor",
                "Makes floats from 0 to 255 of the 8-bit values.")
VISSL_PLUGIN("org.vissl.transforms.ImgPilToRawTensor", "1.0.0")
