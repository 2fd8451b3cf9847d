// RotNet's rotation (arXiv:1803.07728): label = one of num_angles, uniform; the image is turned by
// label * 360 / num_angles degrees counter-clockwise, nearest pixel, same size, black where nothing
// was. Draws, for each image with the stream of its view: the label.
//
// As in VISSL each image's label overwrites the last entry of "label": with several images or label
// sources the last image decides.
#include <vissl/transform.hpp>

using namespace vissl;

namespace {

struct ImgRotatePil {
  std::int64_t num_angles;

  static void params(Params& p) {
    p.integer("num_angles", 4, at_least(1), "Angles: the multiples of 360 / num_angles degrees.");
    p.integer("num_rotations_per_img", 1, between(1, 1), "Rotations of each image; only 1.");
  }
  explicit ImgRotatePil(const Config& c) : num_angles(c.integer("num_angles")) {}

  void apply(Sample& sample) const {
    for (std::uint64_t view = 0; view < sample.count("data"); ++view) {
      RngStream rng = sample.rng(view);
      const std::int64_t label = rng.randint(0, num_angles);
      sample.image("data", view)
          .rotate(static_cast<double>(label) * 360 / static_cast<double>(num_angles));
      const std::uint64_t labels = sample.count("label");
      sample.set("label", labels == 0 ? 0 : labels - 1, label);
    }
  }
};

}  // namespace

VISSL_TRANSFORM(ImgRotatePil, "ImgRotatePil",
                "Turns the image by a random angle and makes it the label.")
VISSL_PLUGIN("org.vissl.transforms.ImgRotatePil", "1.0.0")
