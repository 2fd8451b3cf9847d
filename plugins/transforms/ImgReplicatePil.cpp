// VISSL's ImgReplicatePil: each image and its labels num_times over. Later transforms draw anew for
// each copy. No draws.
#include <vissl/transform.hpp>

using namespace vissl;

namespace {

struct ImgReplicatePil {
  std::uint64_t num_times;

  static void params(Params& p) {
    p.integer("num_times", 2, at_least(1), "Copies of each image, itself included.");
  }
  explicit ImgReplicatePil(const Config& c)
      : num_times(static_cast<std::uint64_t>(c.integer("num_times"))) {}

  void apply(Sample& sample) const {
    sample.repeat(std::vector<std::uint64_t>(sample.count("data"), num_times));
  }
};

}  // namespace

VISSL_TRANSFORM(ImgReplicatePil, "ImgReplicatePil", "Copies the image, for one view per copy.")
VISSL_PLUGIN("org.vissl.transforms.ImgReplicatePil", "1.0.0")
