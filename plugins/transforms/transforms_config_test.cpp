// What the transforms refuse, with the text that their users see.
#include <doctest/doctest.h>

#include <string>

#include "host/data/pixel/test_images.hpp"
#include "transform_run.hpp"

using namespace vissl;

namespace {

std::string refusal(const char* name, const std::string& toml) {
  test::DataHost host;
  try {
    host.make("transform", name, toml);
  } catch (const Failure& error) {
    CHECK(error.status() == VISSL_E_CONFIG);
    return error.what();
  }
  return "(accepted)";
}

// The text of applying the transform to an 8-bit RGB image of 30 x 20 pixels.
std::string failure(const char* name, const std::string& toml,
                    vissl_status status = VISSL_E_FAILED) {
  test::DataHost host;
  const test::Instance transform = host.make("transform", name, toml);
  test::TransformSample sample(1);
  sample.first().set_pixels(host::pixel::test::draw(0, 30, 20, 3));
  try {
    test::apply(transform, sample.sample());
  } catch (const Failure& error) {
    CHECK(error.status() == status);
    return error.what();
  }
  return "(it worked)";
}

}  // namespace

TEST_CASE("transforms: sizes, filters and ranges that make no sense are refused") {
  CHECK(refusal("Resize", "size = 0") ==
        "'size' must be an integer or a list of integers, each at least 1");
  CHECK(refusal("Resize", "size = \"big\"") ==
        "'size' must be an integer or a list of integers, each at least 1");
  CHECK(refusal("CenterCrop", "size = [1, 2, 3]") ==
        "'size' must be an integer or [height, width], not 3 numbers");
  CHECK(refusal("CenterCrop", "size = []") ==
        "'size' must be an integer or [height, width], not 0 numbers");
  CHECK(
      refusal("Resize", "size = 8\ninterpolation = \"lanczos\"") ==
      "'interpolation' must be \"nearest\" (0), \"bilinear\" (2) or \"bicubic\" (3), not lanczos");
  CHECK(refusal("Resize", "size = 8\ninterpolation = 1") ==
        "'interpolation' must be \"nearest\" (0), \"bilinear\" (2) or \"bicubic\" (3), not 1");
  CHECK(refusal("Resize", "size = 8\nmax_size = 8") ==
        "'max_size' must be greater than 'size', which is 8");
  CHECK(refusal("Resize", "size = [8, 9]\nmax_size = 10") ==
        "'max_size' needs a 'size' of one number: two fix both sides already");
  CHECK(refusal("RandomResizedCrop", "size = 8\nscale = [0.5, 0.1]") ==
        "'scale' begins with 0.5, which is above its end, 0.1");
  CHECK(refusal("RandomResizedCrop", "size = 8\nratio = [1.0]") ==
        "'ratio' needs two numbers, the least and the greatest, not 1");
  CHECK(refusal("ImgPilGaussianBlur", "radius_min = 3.0") ==
        "'radius_min .. radius_max' begins with 3.0, which is above its end, 2.0");
}

TEST_CASE("transforms: colours, statistics and borders that make no sense are refused") {
  CHECK(refusal("ColorJitter", "brightness = -0.1") ==
        "'brightness' must be at least 0, or [least, greatest]");
  CHECK(refusal("ColorJitter", "contrast = [-1.0, 1.0]") ==
        "the factors of 'contrast' must be at least 0");
  CHECK(refusal("ColorJitter", "hue = 0.6") == "'hue' must stay within half a turn, -0.5 to 0.5");
  CHECK(refusal("ColorJitter", "hue = true") == "'hue' must be a number or a list of them");
  CHECK(refusal("Normalize", "mean = [0.5, 0.5]\nstd = [0.5]") ==
        "'mean' and 'std' need the same number of values, one per channel, not 2 and 1");
  CHECK(refusal("Pad", "padding = [1, 2, 3]") == "'padding' takes 1, 2 or 4 numbers, not 3");
  CHECK(refusal("Pad", "padding = 1\nfill = 256") == "'fill' must be at most 255, not 256");
  CHECK(refusal("Pad", "padding = 1\nfill = [1, 2]") == "'fill' takes one number or three, not 2");
  CHECK(refusal("MNISTImgPil2RGB", "size = [1, 2, 3]") ==
        "'size' must be an integer, [width, height] or [], not 3 numbers");
  CHECK(refusal("MNISTImgPil2RGB", "box = [1]") == "'box' needs two numbers, [x, y], not 1");
}

TEST_CASE("transforms: the lists of ImgPilToMultiCrop must agree") {
  const auto crops = [](const char* total, const char* sizes, const char* scales) {
    return refusal("ImgPilToMultiCrop", std::string("num_crops = [2, 6]\ntotal_num_crops = ") +
                                            total + "\nsize_crops = " + sizes +
                                            "\ncrop_scales = " + scales);
  };
  CHECK(crops("8", "[224, 96]", "[[0.14, 1.0], [0.05, 0.14]]") == "(accepted)");
  CHECK(crops("7", "[224, 96]", "[[0.14, 1.0], [0.05, 0.14]]") ==
        "'total_num_crops' is 7 and 'num_crops' adds up to 8");
  CHECK(crops("8", "[224]", "[[0.14, 1.0], [0.05, 0.14]]") ==
        "'num_crops', 'size_crops' and 'crop_scales' need one entry per type of crop, not 2, 1 and "
        "2");
  const std::string pairs = "'crop_scales' must be a list of pairs [least, greatest], each above 0";
  CHECK(crops("8", "[224, 96]", "0.5") == pairs);
  CHECK(crops("8", "[224, 96]", "[0.14, 1.0]") == pairs);
  CHECK(crops("8", "[224, 96]", "[[0.0, 1.0], [0.05, 0.14]]") == pairs);
  CHECK(crops("8", "[224, 96]", "[[1.0, 0.5], [0.05, 0.14]]") ==
        "'crop_scales' begins with 1.0, which is above its end, 0.5");
}

TEST_CASE("transforms: an image that a transform cannot take is one clear error") {
  CHECK(failure("RandomCrop", "size = 24", VISSL_E_CONFIG) ==
        "the crop of 24 x 24 pixels is larger than the image of 20 x 30; resize it first, or set "
        "pad_if_needed");
  CHECK(failure("RandomCrop", "size = 20") == "(it worked)");
  CHECK(failure("ImgPilMultiCropRandomApply", "prob = [0.5, 1.0]", VISSL_E_CONFIG) ==
        "'prob' has 2 numbers and the sample 1 views; it needs one for each");
}

TEST_CASE("transforms: ImgPilMultiCropRandomApply gives each view its own probability") {
  test::DataHost host;
  for (const char* name : {"ImgPilGaussianBlur", "ImgReplicatePil"}) {
    host.load(std::string(VISSL_PLUGIN_DIR) + "/" + name + ".so");
  }
  const auto make = [&](const char* prob) {
    return host.make(
        "transform", "ImgPilMultiCropRandomApply",
        std::string("transforms = [{ name = \"ImgPilGaussianBlur\", p = 1.0 }]\nprob = ") + prob);
  };
  const test::Instance apply_some = make("[1.0, 0.0, 1.0]");
  const test::Instance copy = host.make("transform", "ImgReplicatePil", "num_times = 3");
  test::TransformSample sample(4);
  sample.first().set_pixels(host::pixel::test::draw(0, 30, 20, 3));
  test::apply(copy, sample.sample());
  test::apply(apply_some, sample.sample(), 1);
  const auto same = [&](std::size_t view, const host::pixel::Pixels& pixels) {
    return host::pixel::test::equal(sample.image(view).pixels(), pixels);
  };
  const host::pixel::Pixels source = host::pixel::test::draw(0, 30, 20, 3);
  CHECK(!same(0, source));
  CHECK(same(1, source));
  CHECK(!same(2, source));
  CHECK(!same(0, sample.image(2).pixels()));

  // View 0: one draw for the probability, one of the blur's own, one for its radius.
  vissl_rng stream;
  vissl_rng_init_sample(&stream, 4, 0, 0, 0, 0, 1);
  Rng rng(stream);
  rng.uniform();
  rng.uniform();
  host::Image blurred;
  blurred.set_pixels(host::pixel::test::draw(0, 30, 20, 3));
  blurred.gaussian_blur(rng.uniform(0.1, 2.0));
  CHECK(same(0, blurred.pixels()));

  CHECK_THROWS_WITH_AS(
      host.make("transform", "ImgPilMultiCropRandomApply",
                "transforms = [{ name = \"ImgReplicatePil\" }]\nprob = [1.0]"),
      "'ImgReplicatePil' works on the whole sample and cannot stand in 'transforms'", Failure);
}

TEST_CASE("transforms: copies repeat labels and keep the order of the images") {
  test::DataHost host;
  test::TransformSample sample(1);
  sample.first().set_pixels(host::pixel::test::draw(0, 8, 8, 3));
  sample.sample().add_image("data").set_pixels(host::pixel::test::draw(1, 8, 8, 3));
  sample.sample().set_array("label", 1, host::Array::scalar(9));
  test::apply(host.make("transform", "ImgReplicatePil"), sample.sample());
  REQUIRE(sample.views() == 4);
  for (std::size_t v = 0; v < 4; ++v) {
    CHECK(host::pixel::test::equal(sample.image(v).pixels(),
                                   host::pixel::test::draw(v < 2 ? 0 : 1, 8, 8, 3)));
    CHECK(sample.label(v) == (v < 2 ? 7 : 9));
  }
}
