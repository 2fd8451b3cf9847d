// torchvision_dataset: the data sets that VISSL takes from torchvision, read from their own files:
// in the folders where torchvision puts them below `path`, or directly in `path`, as Debian's
// dataset-fashion-mnist installs them. Nothing is downloaded.
//
// Images have the channels that torchvision gives: those of MNIST and FashionMNIST are gray.
// MNISTImgPil2RGB among the transforms makes them RGB, for trunks with three input channels.
#include <vissl/data_source.hpp>

#include <iterator>
#include <string>
#include <vector>

#include "content.hpp"

using namespace vissl;

namespace {

constexpr const char* kDigits[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
constexpr const char* kClothes[] = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                    "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};

struct TorchvisionDataset {
  std::string dataset, root;
  bool train;
  Content content;
  std::int64_t classes = 10;

  static void params(Params& p) {
    p.string("dataset", required,
             one_of("CIFAR10", "CIFAR100", "MNIST", "FashionMNIST", "STL10", "SVHN"),
             "Name of the data set.");
    p.path("path", required, "torchvision's root folder, or the folder of the files themselves.");
    p.string("split", required, one_of("train", "test"), "Which images.");
  }
  explicit TorchvisionDataset(const Config& c)
      : dataset(c.string("dataset")), root(c.string("path")), train(c.string("split") == "train") {}

  void open() {
    content = read();
    if (content.labels.empty()) {
      fail(VISSL_E_DATA, "the files of " + dataset + " in '" + root + "' hold no image");
    }
  }

  std::int64_t length() const { return static_cast<std::int64_t>(content.labels.size()); }
  const std::int64_t& label(std::int64_t i) const {
    return content.labels[static_cast<std::size_t>(i)];
  }
  std::string path(std::int64_t i) const {
    const auto [images, k] = locate(i);
    return images->file->path + ":" + std::to_string(k);
  }
  std::int64_t class_count() const { return classes; }
  std::string class_name(std::int64_t k) const {
    const auto at = static_cast<std::size_t>(k);
    return at < content.class_names.size() ? content.class_names[at] : std::string();
  }

  struct Reader {
    const TorchvisionDataset& source;
    explicit Reader(const TorchvisionDataset& s) : source(s) {}

    void read(std::int64_t i, Image& image) {
      const Content& c = source.content;
      const auto [images, k] = source.locate(i);
      const std::uint8_t* first =
          images->file->data + images->first + static_cast<std::size_t>(k) * images->stride;
      if (c.channels == 1) return image.set_bytes(c.height, c.width, 1, first);
      pixels.resize(static_cast<std::size_t>(c.height * c.width * c.channels));
      std::uint8_t* out = pixels.data();
      for (std::int64_t y = 0; y < c.height; ++y) {
        for (std::int64_t x = 0; x < c.width; ++x) {
          const std::uint8_t* pixel =
              first + static_cast<std::size_t>(y) * c.row + static_cast<std::size_t>(x) * c.column;
          for (std::int64_t channel = 0; channel < c.channels; ++channel, pixel += c.channel) {
            *out++ = *pixel;
          }
        }
      }
      image.set_bytes(c.height, c.width, c.channels, pixels.data());
    }
    std::vector<std::uint8_t> pixels;
  };

 private:
  struct Place {
    const Images* images;
    std::int64_t k;  // of the file
  };
  Place locate(std::int64_t i) const {
    const Images* images = content.images.data();
    while (i >= images->count) i -= (images++)->count;
    return {images, i};
  }

  Content read() {
    if (dataset == "CIFAR10") {
      return read_cifar10(Folder(root, {"cifar-10-batches-py", "cifar-10-batches-bin"}), train);
    }
    if (dataset == "CIFAR100") {
      classes = 100;
      return read_cifar100(Folder(root, {"cifar-100-python", "cifar-100-binary"}), train);
    }
    if (dataset == "STL10") return read_stl10(Folder(root, {"stl10_binary"}), train);
    if (dataset == "SVHN") {
      Content found = read_svhn(Folder(root, {}), train);
      found.class_names.assign(std::begin(kDigits), std::end(kDigits));
      return found;
    }
    Content found = read_mnist(Folder(root, {dataset + "/raw", "raw"}), train);
    const auto& names = dataset == "MNIST" ? kDigits : kClothes;
    found.class_names.assign(std::begin(names), std::end(names));
    return found;
  }
};

}  // namespace

VISSL_DATA_SOURCE(TorchvisionDataset, "torchvision_dataset",
                  "CIFAR, MNIST, FashionMNIST, STL10 or SVHN from their own files.")
VISSL_PLUGIN("org.vissl.data_sources.torchvision_dataset", "1.0.0")
