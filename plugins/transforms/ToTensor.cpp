// torchvision's ToTensor: 8-bit (H, W, C) to float32 (C, H, W), x / 255.
#include <vissl/transform.hpp>

using namespace vissl;

namespace {

struct ToTensor {
  void apply(Image& image) const { image.to_tensor(); }
};

}  // namespace

VISSL_TRANSFORM(ToTensor, "ToTensor", "Makes floats from 0 to 1 of the 8-bit values.")
VISSL_PLUGIN("org.vissl.transforms.ToTensor", "1.0.0")
