// Images and sets of labels that a formula gives, so that an oracle can make them anew: byte (y, x,
// c) of image i is (37 i + 11 y + 5 x + 71 c) mod 256; its label k is 1 where i + k divides by 3,
// -1 where it leaves 1 by 5, else 0.
#include <vissl/data_source.hpp>
#include <vissl/plugin.hpp>

using namespace vissl;

struct WaveImages {
  std::int64_t images, size, label_count;
  std::vector<std::vector<std::int64_t>> labels;

  static void params(Params& p) {
    p.integer("length", required, at_least(1), "Number of images.");
    p.integer("size", required, at_least(1), "Side of the images in pixels.");
    p.integer("num_labels", required, at_least(1), "Labels of each image.");
  }
  explicit WaveImages(const Config& c)
      : images(c.integer("length")),
        size(c.integer("size")),
        label_count(c.integer("num_labels")) {}
  void open() {
    for (std::int64_t i = 0; i < images; ++i) {
      labels.emplace_back();
      for (std::int64_t k = 0; k < label_count; ++k)
        labels.back().push_back((i + k) % 3 == 0 ? 1 : (i + k) % 5 == 1 ? -1 : 0);
    }
  }
  std::int64_t length() const { return images; }
  const std::vector<std::int64_t>& label(std::int64_t i) const {
    return labels[static_cast<std::size_t>(i)];
  }

  struct Reader {
    const WaveImages& source;
    explicit Reader(const WaveImages& s) : source(s) {}
    void read(std::int64_t i, Image& image) {
      std::vector<std::uint8_t> bytes;
      for (std::int64_t y = 0; y < source.size; ++y)
        for (std::int64_t x = 0; x < source.size; ++x)
          for (std::int64_t c = 0; c < 3; ++c)
            bytes.push_back(static_cast<std::uint8_t>(37 * i + 11 * y + 5 * x + 71 * c));
      image.set_bytes(source.size, source.size, 3, bytes.data());
    }
  };
};

VISSL_DATA_SOURCE(WaveImages, "wave_images", "Images and sets of labels from a formula.")
VISSL_PLUGIN("org.vissl.test.wave_images", "1.0.0")
