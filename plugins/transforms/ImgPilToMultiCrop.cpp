// SwAV's multi-crop (arXiv:2006.09882, section 3.4): num_crops[k] crops of size_crops[k] pixels
// with areas in crop_scales[k], type after type, for each image of the sample. Each crop is a
// RandomResizedCrop of the image with the stream of its own view; draws: random_resized_crop_box in
// vissl/crops.hpp, with ratios from 3/4 to 4/3.
#include <vissl/crops.hpp>
#include <vissl/transform.hpp>

#include <numeric>

using namespace vissl;

namespace {

constexpr Range kRatio = {3.0 / 4, 4.0 / 3};

struct Crop {
  std::int64_t size;
  Range scale;
};

struct ImgPilToMultiCrop {
  std::vector<Crop> crops;  // of one image, in the order of the output

  static void params(Params& p) {
    p.integer("total_num_crops", required, at_least(1), "Sum of num_crops.");
    p.integers("num_crops", required, at_least(1), "Number of crops of each type.");
    p.integers("size_crops", required, at_least(1), "Pixels of the square crops of each type.");
    p.any("crop_scales", required, "[least, greatest] part of the image's area for each type.")
        .accepts("a list of [least, greatest]");
  }
  explicit ImgPilToMultiCrop(const Config& c) {
    const std::vector<std::int64_t> numbers = c.integers("num_crops"),
                                    sizes = c.integers("size_crops");
    const std::vector<Range> scales = read_scales(c.at("crop_scales"));
    if (sizes.size() != numbers.size() || scales.size() != numbers.size()) {
      fail(VISSL_E_CONFIG,
           "'num_crops', 'size_crops' and 'crop_scales' need one entry per type of "
           "crop, not " +
               std::to_string(numbers.size()) + ", " + std::to_string(sizes.size()) + " and " +
               std::to_string(scales.size()));
    }
    const std::int64_t total = std::accumulate(numbers.begin(), numbers.end(), std::int64_t{0});
    if (total != c.integer("total_num_crops")) {
      fail(VISSL_E_CONFIG, "'total_num_crops' is " + std::to_string(c.integer("total_num_crops")) +
                               " and 'num_crops' adds up to " + std::to_string(total));
    }
    for (std::size_t k = 0; k < numbers.size(); ++k) {
      crops.insert(crops.end(), static_cast<std::size_t>(numbers[k]), Crop{sizes[k], scales[k]});
    }
  }

  void apply(Sample& sample) const {
    const std::uint64_t images = sample.count("data");
    sample.repeat(std::vector<std::uint64_t>(images, crops.size()));
    for (std::uint64_t view = 0; view < images * crops.size(); ++view) {
      const Crop& crop = crops[view % crops.size()];
      Image image = sample.image("data", view);
      RngStream rng = sample.rng(view);
      const vissl_image_info info = image.info();
      const CropBox box =
          random_resized_crop_box(rng, {info.height, info.width}, crop.scale, kRatio);
      resized_crop(image, box, {crop.size, crop.size});
    }
  }

 private:
  static std::vector<Range> read_scales(const Config& list) {
    std::vector<Range> scales;
    const auto refuse = [] {
      fail(VISSL_E_CONFIG, "'crop_scales' must be a list of pairs [least, greatest], each above 0");
    };
    if (!list.is_list()) refuse();
    for (const Config& item : list.list()) {
      if (!item.is_list()) refuse();
      for (const Config& number : item.list()) {
        if (!number.is_number() || !(number.number() > 0)) refuse();
      }
      scales.push_back(read_range(item.numbers(), "crop_scales"));
    }
    return scales;
  }
};

}  // namespace

VISSL_TRANSFORM(ImgPilToMultiCrop, "ImgPilToMultiCrop",
                "Makes several random crops of several sizes of each image, as SwAV does.")
VISSL_PLUGIN("org.vissl.transforms.ImgPilToMultiCrop", "1.0.0")
