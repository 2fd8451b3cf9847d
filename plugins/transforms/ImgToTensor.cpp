// VISSL's ImgToTensor, the values of ToTensor: 8-bit (H, W, C) to float32 (C, H, W), x / 255.
#include <vissl/transform.hpp>

using namespace vissl;

namespace {

struct ImgToTensor {
  void apply(Image& image) const { image.to_tensor(); }
};

}  // namespace

VISSL_TRANSFORM(ImgToTensor, "ImgToTensor", "Makes floats from 0 to 1 of the 8-bit values.")
VISSL_PLUGIN("org.vissl.transforms.ImgToTensor", "1.0.0")
