// synthetic: images without a file, for trials and benches. Flat gray, or blurred noise of which
// sample i is always the same. Labels are i mod num_labels.
//
// VISSL makes max(50000, DATA_LIMIT) images and takes the settings of the training split for all;
// here each split has its own.
#include <vissl/data_source.hpp>
#include <vissl/rng.hpp>

#include <cstdint>
#include <string>
#include <vector>

using namespace vissl;

namespace {

// VISSL's noise: a small image of uniform noise, enlarged 16 times and blurred.
constexpr std::int64_t kEnlargement = 16;

struct Synthetic {
  std::int64_t num_images, size, num_labels;
  bool random;
  std::vector<std::int64_t> labels;

  static void params(Params& p) {
    p.integer("length", 50000, at_least(1), "Number of images.");
    p.integer("size", 224, at_least(1), "Side of the images in pixels.")
        .vissl("DATA.TRAIN.DEFAULT_GRAY_IMG_SIZE");
    p.boolean("random_images", false, "Blurred noise instead of flat gray.")
        .vissl("DATA.TRAIN.RANDOM_SYNTHETIC_IMAGES");
    p.integer("num_labels", 0, at_least(0), "Image i has the label i mod num_labels; 0 = label 0.")
        .vissl("DATA.TRAIN.RANDOM_SYNTHETIC_LABELS");
  }
  explicit Synthetic(const Config& c)
      : num_images(c.integer("length")),
        size(c.integer("size")),
        num_labels(c.integer("num_labels")),
        random(c.boolean("random_images")) {
    if (random && size < kEnlargement) {
      fail(VISSL_E_CONFIG, "random images need a 'size' of " + std::to_string(kEnlargement) +
                               " or more, not " + std::to_string(size));
    }
  }

  void open() {
    labels.resize(static_cast<std::size_t>(num_images));
    std::int64_t i = 0;
    for (std::int64_t& label : labels) label = num_labels > 0 ? i++ % num_labels : 0;
  }
  std::int64_t length() const { return num_images; }
  const std::int64_t& label(std::int64_t i) const { return labels[static_cast<std::size_t>(i)]; }
  std::string path(std::int64_t i) const { return "fake_path_" + std::to_string(i); }
  std::int64_t class_count() const { return num_labels > 0 ? num_labels : 1; }

  struct Reader {
    const Synthetic& source;
    std::vector<std::uint8_t> gray;
    explicit Reader(const Synthetic& s) : source(s) {}

    void read(std::int64_t i, Image& image) {
      if (source.random) {
        draw(i, image);
        return;
      }
      gray.resize(static_cast<std::size_t>(source.size * source.size * 3), 128);
      image.set_bytes(source.size, source.size, 3, gray.data());
    }

    void draw(std::int64_t i, Image& image) const {
      const std::int64_t side = source.size / kEnlargement;
      NumpyGenerator numpy(static_cast<std::uint32_t>(i));
      const std::int64_t radius = numpy.randint(side / 2, side * 2);
      std::vector<std::uint8_t> noise(static_cast<std::size_t>(side * side * 3));
      for (std::uint8_t& value : noise) value = static_cast<std::uint8_t>(255 * numpy.random());
      image.set_bytes(side, side, 3, noise.data());
      image.resize(source.size, source.size, Interpolation::bicubic);
      image.gaussian_blur(static_cast<double>(radius));
    }
  };
};

}  // namespace

VISSL_DATA_SOURCE(Synthetic, "synthetic", "Gray or random images that need no files.")
VISSL_PLUGIN("org.vissl.data_sources.synthetic", "1.0.0")
