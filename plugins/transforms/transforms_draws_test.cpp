// What the transforms draw, over many samples: ranges, shares and means. A bound of five standard
// errors fails once in two million draws of a right distribution; the seeds are fixed.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "image_recorder.hpp"
#include "temp_folder.hpp"
#include "transform_run.hpp"

using namespace vissl;
using test::ImageCall;

namespace {

constexpr int kSamples = 20000;

class Recording {
 public:
  Recording(const char* name, const std::string& toml) : instance_(load(name, toml)) {}

  // The calls for one sample; `images`: views before the transform.
  std::vector<ImageCall> run(std::uint64_t seed, std::int64_t index = 0, int images = 1) {
    test::TransformSample sample(seed, index);
    for (int i = 1; i < images; ++i) {
      sample.sample().add_image("data");
      sample.sample().set_array("label", static_cast<std::size_t>(i), host::Array::scalar(7));
    }
    test::apply(instance_, sample.sample());
    last_label = sample.label(sample.sample().entry_count("label") - 1);
    return recorder_.take();
  }
  std::int64_t last_label = -1;  // of the last run

 private:
  // A plugin keeps the services that it asked for first: a copy of the file is a plugin of its own,
  // which the tests with real images do not see.
  test::Instance load(const std::string& name, const std::string& toml) {
    const test::TempFolder folder;
    const std::filesystem::path copy = folder / (name + ".so");
    std::filesystem::copy_file(std::filesystem::path(VISSL_PLUGIN_DIR) / (name + ".so"), copy);
    host_.service(VISSL_IMAGE_ID, &test::ImageRecorder::api());
    host_.load(copy.string());
    return host_.component("transform", name).create(toml);
  }
  test::DataHost host_;
  test::ImageRecorder recorder_;
  test::Instance instance_;
};

struct Numbers {
  double sum = 0, squares = 0, least = INFINITY, greatest = -INFINITY;
  int count = 0;
  void add(double x) {
    sum += x;
    squares += x * x;
    least = std::min(least, x);
    greatest = std::max(greatest, x);
    ++count;
  }
  double mean() const { return sum / count; }
  double standard_error() const { return std::sqrt((squares / count - mean() * mean()) / count); }
};

// The mean of a uniform distribution over [low, high], reached at both ends up to 2 % of it.
void check_uniform(const Numbers& numbers, double low, double high) {
  CHECK(numbers.count > 1000);
  CHECK(numbers.least >= low);
  CHECK(numbers.greatest <= high);
  CHECK(numbers.least < low + 0.02 * (high - low));
  CHECK(numbers.greatest > high - 0.02 * (high - low));
  CHECK(std::abs(numbers.mean() - (low + high) / 2) < 5 * numbers.standard_error());
}

void check_share(int count, int of, double p) {
  CHECK(std::abs(count - p * of) <= 5 * std::sqrt(p * (1 - p) * of));
}

}  // namespace

TEST_CASE("transforms: RandomResizedCrop draws area, log-ratio and place uniformly") {
  // Boxes of this range always fit a 500 x 400 image, so that no try is thrown away.
  Recording crop("RandomResizedCrop", "size = 32\nscale = [0.08, 0.4]");
  Numbers area, log_ratio, top, left;
  for (int i = 0; i < kSamples; ++i) {
    const std::vector<ImageCall> calls = crop.run(1, i);
    REQUIRE(calls.size() == 1);
    const std::vector<double>& n = calls[0].numbers;
    const double height = n[2], width = n[3];
    REQUIRE(n[0] >= 0);
    REQUIRE(n[1] >= 0);
    REQUIRE(n[0] + height <= test::ImageRecorder::kHeight);
    REQUIRE(n[1] + width <= test::ImageRecorder::kWidth);
    CHECK(std::vector<double>(n.begin() + 4, n.end()) ==
          std::vector<double>{32, 32, VISSL_BILINEAR});
    area.add(height * width / (400.0 * 500.0));
    log_ratio.add(std::log(width / height));
    top.add(n[0] / (test::ImageRecorder::kHeight - height));
    left.add(n[1] / (test::ImageRecorder::kWidth - width));
  }
  const double half_pixel = 0.006;  // relative, of the rounded sides
  check_uniform(area, 0.08 * (1 - half_pixel), 0.4 * (1 + half_pixel));
  check_uniform(log_ratio, std::log(0.75) - half_pixel, std::log(4.0 / 3) + half_pixel);
  check_uniform(top, 0, 1);
  check_uniform(left, 0, 1);
}

TEST_CASE("transforms: RandomResizedCrop takes the largest centred box when nothing fits") {
  const auto box = [](const std::string& ratio) {
    Recording crop("RandomResizedCrop", "size = 8\nscale = [3.0, 4.0]\nratio = " + ratio);
    return crop.run(3)[0].numbers;
  };
  CHECK(box("[2.0, 3.0]") == std::vector<double>{75, 0, 250, 500, 8, 8, VISSL_BILINEAR});
  CHECK(box("[0.5, 1.0]") == std::vector<double>{0, 50, 400, 400, 8, 8, VISSL_BILINEAR});
  CHECK(box("[1.0, 2.0]") == std::vector<double>{0, 0, 400, 500, 8, 8, VISSL_BILINEAR});
}

TEST_CASE("transforms: RandomCrop reaches every place") {
  Recording crop("RandomCrop", "size = 397");
  std::map<double, int> tops;
  Numbers left;
  for (int i = 0; i < kSamples; ++i) {
    const std::vector<double> n = crop.run(2, i)[0].numbers;
    ++tops[n[0]];
    left.add(n[1]);
    CHECK(n[2] == 397);
  }
  CHECK(tops.size() == 4);
  for (const auto& [top, count] : tops) check_share(count, kSamples, 0.25);
  check_uniform(left, 0, 103);
}

TEST_CASE("transforms: flips, gray and blur happen with their probability") {
  for (const double p : {0.0, 0.25, 0.5, 1.0}) {
    for (const char* name :
         {"RandomHorizontalFlip", "RandomVerticalFlip", "RandomGrayscale", "ImgPilGaussianBlur",
          "ImgPilRandomSolarize", "ImgPilRandomPhotometric", "ImgPilRandomColorJitter"}) {
      CAPTURE(name);
      Recording transform(name, "p = " + std::to_string(p));
      int count = 0;
      for (int i = 0; i < 4000; ++i) count += transform.run(5, i).empty() ? 0 : 1;
      check_share(count, 4000, p);
    }
  }
}

TEST_CASE("transforms: ColorJitter has 24 orders, alike often, and uniform factors") {
  Recording jitter("ColorJitter",
                   "brightness = 0.4\ncontrast = [0.5, 2.5]\nsaturation = 1.5\nhue = 0.1");
  std::map<std::string, Numbers> factors;
  std::map<std::string, int> orders;
  for (int i = 0; i < kSamples; ++i) {
    std::string order;
    for (const ImageCall& call : jitter.run(7, i)) {
      order += call.what + ' ';
      factors[call.what].add(call.numbers[0]);
    }
    ++orders[order];
  }
  CHECK(orders.size() == 24);
  for (const auto& [order, count] : orders) check_share(count, kSamples, 1.0 / 24);
  check_uniform(factors["brightness"], 0.6, 1.4);
  check_uniform(factors["contrast"], 0.5, 2.5);
  check_uniform(factors["saturation"], 0, 2.5);
  check_uniform(factors["hue"], -0.1, 0.1);
}

TEST_CASE("transforms: ColorJitter skips what cannot change anything, and draws nothing for it") {
  const auto calls = [](const char* toml) {
    Recording jitter("ColorJitter", toml);
    std::vector<ImageCall> all;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const std::vector<ImageCall> one = jitter.run(seed);
      REQUIRE(one.size() == 1);
      CHECK(one[0].what == "hue");
      all.push_back(one[0]);
    }
    return all;
  };
  CHECK(calls("hue = 0.1") == calls("hue = 0.1\nbrightness = [1.0, 1.0]\ncontrast = 0"));
}

TEST_CASE("transforms: ImgPilColorDistortion jitters eight times in ten and drops colours twice") {
  Recording distortion("ImgPilColorDistortion", "strength = 0.5");
  int jitters = 0, grays = 0, both = 0;
  Numbers hue;
  for (int i = 0; i < kSamples; ++i) {
    const std::vector<ImageCall> calls = distortion.run(11, i);
    const bool gray = !calls.empty() && calls.back().what == "grayscale";
    const bool jitter = calls.size() >= 4;
    jitters += jitter ? 1 : 0;
    grays += gray ? 1 : 0;
    both += jitter && gray ? 1 : 0;
    CHECK(calls.size() == (jitter ? 4u : 0u) + (gray ? 1u : 0u));
    for (const ImageCall& call : calls) {
      if (call.what == "hue") hue.add(call.numbers[0]);
    }
  }
  check_share(jitters, kSamples, 0.8);
  check_share(grays, kSamples, 0.2);
  check_share(both, kSamples, 0.16);
  check_uniform(hue, -0.1, 0.1);
}

TEST_CASE("transforms: ImgPilGaussianBlur draws its radius uniformly") {
  Recording blur("ImgPilGaussianBlur", "p = 1");
  Numbers radius;
  for (int i = 0; i < kSamples; ++i) radius.add(blur.run(13, i)[0].numbers[0]);
  check_uniform(radius, 0.1, 2.0);
}

TEST_CASE("transforms: solarize takes every threshold from all to nothing") {
  Recording solarize("ImgPilRandomSolarize", "p = 1");
  std::map<double, int> changed;  // 256 - threshold values change
  for (int i = 0; i < kSamples; ++i) ++changed[solarize.run(17, i)[0].numbers[0]];
  CHECK(changed.size() == 257);
  check_share(changed[0], kSamples, 1.0 / 257);
  check_share(changed[256], kSamples, 1.0 / 257);
}

TEST_CASE("transforms: photometric posterizes, sharpens, solarizes and stretches") {
  Recording photometric("ImgPilRandomPhotometric", "p = 1");
  std::set<double> posterized;
  Numbers sharpness;
  for (int i = 0; i < kSamples; ++i) {
    const std::vector<ImageCall> calls = photometric.run(19, i);
    REQUIRE(calls.size() == 4);
    CHECK(calls[0].what + calls[1].what + calls[2].what + calls[3].what ==
          "mapsharpnessmapautocontrast");
    posterized.insert(calls[0].numbers[0]);
    sharpness.add(calls[1].numbers[0]);
  }
  // 8 bits change nothing; n bits keep 2^n values.
  CHECK(posterized == std::set<double>{0, 128, 192, 224, 240});
  check_uniform(sharpness, 0.1, 1.9);
}

TEST_CASE("transforms: ImgRotatePil turns by its label, uniformly, each image with its own draw") {
  Recording rotate("ImgRotatePil", "");
  std::map<std::int64_t, int> labels;
  int different = 0;
  for (int i = 0; i < kSamples; ++i) {
    const std::vector<ImageCall> calls = rotate.run(23, i, 2);
    REQUIRE(calls.size() == 2);
    ++labels[rotate.last_label];
    CHECK(calls[1] ==
          ImageCall{"rotate", {90.0 * static_cast<double>(rotate.last_label), VISSL_NEAREST}});
    different += calls[0] == calls[1] ? 0 : 1;
  }
  CHECK(labels.size() == 4);
  for (const auto& [label, count] : labels) check_share(count, kSamples, 0.25);
  check_share(different, kSamples, 0.75);
}

TEST_CASE("transforms: ImgPilToMultiCrop gives each view its own box, sizes in order") {
  Recording crops("ImgPilToMultiCrop",
                  "total_num_crops = 5\nnum_crops = [2, 3]\nsize_crops = [64, 24]\n"
                  "crop_scales = [[0.14, 1.0], [0.05, 0.14]]");
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const std::vector<ImageCall> calls = crops.run(seed, 0, 2);  // of two images
    REQUIRE(calls.size() == 10);
    for (std::size_t v = 0; v < calls.size(); ++v) {
      CHECK(calls[v].numbers[4] == (v % 5 < 2 ? 64 : 24));
      for (std::size_t w = 0; w < v; ++w) CHECK(!(calls[v] == calls[w]));
    }
  }
}

TEST_CASE("transforms: a seed, a sample and a view name the draws, and nothing else does") {
  Recording distortion("ImgPilColorDistortion", "");
  const std::vector<ImageCall> first = distortion.run(2, 5);
  distortion.run(99, 1234);
  CHECK(distortion.run(2, 5) == first);
  CHECK(distortion.run(3, 5) != first);
  CHECK(distortion.run(2, 6) != first);
}
