#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "data_host.hpp"
#include "host/data/pixel/test_images.hpp"
#include "temp_folder.hpp"

using namespace vissl;
namespace fs = std::filesystem;

namespace {

const fs::path kGolden = VISSL_SOURCE_DIR "/tests/golden/torchvision_dataset";

std::string toml(const std::string& dataset, const fs::path& path, const std::string& split) {
  return "dataset = \"" + dataset + "\"\npath = \"" + path.string() + "\"\nsplit = \"" + split +
         "\"";
}

struct Read {
  std::int64_t label, width, height, channels;
  std::uint64_t hash;
  bool operator==(const Read& other) const {
    return label == other.label && width == other.width && height == other.height &&
           channels == other.channels && hash == other.hash;
  }
};

std::vector<Read> read_all(const std::string& dataset, const fs::path& path,
                           const std::string& split) {
  test::DataHost host;
  test::DataSource source(
      host.make("data_source", "torchvision_dataset", toml(dataset, path, split)));
  std::vector<Read> samples;
  for (std::int64_t i = 0; i < source.length(); ++i) {
    host::Image image = source.read(i);
    const host::pixel::Pixels& pixels = image.pixels();
    samples.push_back({to_scalar<std::int64_t>(source.label(i)), pixels.width(), pixels.height(),
                       pixels.channels(),
                       host::pixel::test::hash(pixels.data(), pixels.size_bytes())});
  }
  return samples;
}

// The text of what is wrong with a data set's files.
std::string failure(const std::string& dataset, const fs::path& path,
                    const std::string& split = "train") {
  try {
    read_all(dataset, path, split);
  } catch (const Failure& error) {
    CHECK(error.status() == VISSL_E_DATA);
    return error.what();
  }
  return "(it worked)";
}

}  // namespace

TEST_CASE("torchvision_dataset: images, labels and class names are torchvision's") {
  std::ifstream golden(kGolden / "cases.txt");
  std::map<std::pair<std::string, std::string>, std::vector<Read>> expected;
  std::map<std::string, std::vector<std::string>> classes;
  for (std::string dataset, split; golden >> dataset >> split;) {
    if (dataset == "class") {
      golden >> dataset;
      classes[split].push_back(dataset);
      continue;
    }
    Read sample{};
    golden >> sample.label >> sample.width >> sample.height >> sample.channels;
    std::string hash;
    golden >> hash;
    sample.hash = std::stoull(hash, nullptr, 16);
    expected[{dataset, split}].push_back(sample);
  }
  REQUIRE(expected.size() == 12);
  for (const auto& [key, samples] : expected) {
    CAPTURE(key.first);
    CAPTURE(key.second);
    CHECK(read_all(key.first, kGolden, key.second) == samples);
  }
  REQUIRE(classes.size() == 3);
  for (const auto& [dataset, names] : classes) {
    test::DataHost host;
    test::DataSource source(
        host.make("data_source", "torchvision_dataset", toml(dataset, kGolden, "test")));
    REQUIRE(source.class_count() == static_cast<std::int64_t>(names.size()));
    for (std::size_t k = 0; k < names.size(); ++k) {
      CHECK(source.class_name(static_cast<std::int64_t>(k)) == names[k]);
    }
  }
}

TEST_CASE("torchvision_dataset: files may lie in the folder itself, and be packed or not") {
  const std::map<std::string, std::string> folders = {{"MNIST", "MNIST/raw"},
                                                      {"FashionMNIST", "FashionMNIST/raw"},
                                                      {"CIFAR10", "cifar-10-batches-bin"},
                                                      {"CIFAR100", "cifar-100-python"},
                                                      {"STL10", "stl10_binary"}};
  for (const auto& [dataset, folder] : folders) {
    CAPTURE(dataset);
    for (const char* split : {"train", "test"}) {
      CHECK(read_all(dataset, kGolden / folder, split) == read_all(dataset, kGolden, split));
    }
  }
  CHECK(read_all("MNIST", (kGolden / "MNIST" / "").string() + "/", "test") ==
        read_all("MNIST", kGolden, "test"));
}

TEST_CASE("torchvision_dataset: the binary version of CIFAR-100 has the fine label second") {
  test::TempFolder folder;
  std::string image(3072, '\x41');
  test::write_file(folder / "train.bin",
                   std::string("\x05\x63", 2) + image + std::string("\x06\x07", 2) + image);
  const std::vector<Read> samples = read_all("CIFAR100", folder.path(), "train");
  REQUIRE(samples.size() == 2);
  CHECK(samples[0].label == 99);
  CHECK(samples[1].label == 7);
}

TEST_CASE("torchvision_dataset: Debian's package is read where it lies") {
  const fs::path folder = "/usr/share/datasets/fashion-mnist";
  test::DataHost host;
  for (const char* split : {"train", "test"}) {
    test::DataSource source(
        host.make("data_source", "torchvision_dataset", toml("FashionMNIST", folder, split)));
    CHECK(source.length() == (split == std::string("train") ? 60000 : 10000));
    std::vector<std::int64_t> counts(10);
    for (std::int64_t i = 0; i < source.length(); ++i) {
      ++counts[static_cast<std::size_t>(to_scalar<std::int64_t>(source.label(i)))];
    }
    CHECK(counts == std::vector<std::int64_t>(10, source.length() / 10));
    CHECK(source.class_name(to_scalar<std::int64_t>(source.label(0))) == "Ankle boot");
    host::Image image = source.read(source.length() - 1);
    CHECK(image.pixels().channels() == 1);
  }
}

TEST_CASE("torchvision_dataset: a place is named by its file and its number in it") {
  test::DataHost host;
  test::DataSource source(
      host.make("data_source", "torchvision_dataset", toml("CIFAR10", kGolden, "train")));
  const std::string batch = (kGolden / "cifar-10-batches-py" / "data_batch_").string();
  CHECK(source.path(0) == batch + "1:0");
  CHECK(source.path(2) == batch + "2:1");
  CHECK(source.path(7 - 1) == batch + "5:0");
}

TEST_CASE("torchvision_dataset: missing files are named with all places that were tried") {
  test::TempFolder folder;
  const std::string root = folder.path().string();
  CHECK(failure("MNIST", folder / "nowhere") == "the folder '" + root + "/nowhere' does not exist");
  CHECK(failure("MNIST", folder.path()) ==
        "there is no file 'train-images-idx3-ubyte' or 'train-images-idx3-ubyte.gz' in '" + root +
            "/MNIST/raw', '" + root + "/raw' or '" + root + "'");
  CHECK(failure("CIFAR10", folder.path(), "test") ==
        "there is no file 'test_batch' or 'test_batch.bin' in '" + root +
            "/cifar-10-batches-py', '" + root + "/cifar-10-batches-bin' or '" + root + "'");
  CHECK(failure("SVHN", folder.path()) == "there is no file 'train_32x32.mat' in '" + root + "'");
  test::write_file(folder / "file", "x");
  CHECK(failure("STL10", folder / "file") == "the folder '" + root + "/file' is not a folder");
}

TEST_CASE("torchvision_dataset: wrong sizes, magics and labels are named with what was expected") {
  test::TempFolder folder;
  const std::string root = folder.path().string();
  const fs::path images = folder / "train-images-idx3-ubyte",
                 labels = folder / "train-labels-idx1-ubyte";
  const std::string good_images = test::read_file(kGolden / "MNIST/raw/train-images-idx3-ubyte");
  const std::string good_labels = test::read_file(kGolden / "MNIST/raw/train-labels-idx1-ubyte");
  test::write_file(images, good_images);
  test::write_file(labels, good_images);
  CHECK(failure("MNIST", folder.path()) ==
        "'" + labels.string() +
            "' does not hold idx labels: it begins with 00000803 instead of 00000801");
  test::write_file(labels, good_labels.substr(0, 7));
  CHECK(failure("MNIST", folder.path()) ==
        "'" + labels.string() + "' has 7 bytes, less than the header of idx labels");
  std::string fewer = good_labels.substr(0, 11);
  fewer[7] = 3;
  test::write_file(labels, fewer);
  CHECK(failure("MNIST", folder.path()) ==
        "'" + labels.string() + "' has 3 labels for the 4 images of '" + images.string() + "'");
  test::write_file(images, good_images.substr(0, 1000));
  CHECK(failure("MNIST", folder.path()) ==
        "'" + images.string() +
            "' should hold 3152 bytes by its header, and holds 1000 (unpacked)");

  const std::string x = test::read_file(kGolden / "stl10_binary/train_X.bin");
  test::write_file(folder / "train_X.bin", x.substr(1));
  test::write_file(folder / "train_y.bin", "\x01\x0b");
  CHECK(failure("STL10", folder.path()) ==
        "'" + root + "/train_X.bin' should hold 55296 bytes for the 2 labels of '" + root +
            "/train_y.bin', and holds 55295");
  test::write_file(folder / "train_X.bin", x);
  CHECK(failure("STL10", folder.path()) ==
        "'" + root + "/train_y.bin' has the label 11 at position 1; labels run from 1 to 10");
  test::write_file(folder / "train_y.bin", "");
  CHECK(failure("STL10", folder.path()) == "'" + root + "/train_y.bin' is empty");

  test::write_file(folder / "test_batch.bin", std::string(3072, 'a'));
  CHECK(failure("CIFAR10", folder.path(), "test") ==
        "'" + root +
            "/test_batch.bin' has 3072 bytes, which is no multiple of the 3073 of an image");
  test::write_file(folder / "test_batch.bin", std::string(3073, '\x0a'));
  CHECK(failure("CIFAR10", folder.path(), "test") ==
        "'" + root + "/test_batch.bin' has the label 10; labels run from 0 to 9");
  test::write_file(folder / "test_batch", "\x80\x02}q\x01.");
  CHECK(failure("CIFAR10", folder.path(), "test") ==
        "'" + root + "/test_batch' has no entries 'data' and 'labels'");
  test::write_file(folder / "test_batch", "GIF89a");
  CHECK(failure("CIFAR10", folder.path(), "test") ==
        "'" + root + "/test_batch' is no pickle of a data set: opcode 0x47 at byte 0");
  test::write_file(folder / "train_32x32.mat", std::string(500, ' '));
  CHECK(failure("SVHN", folder.path()) ==
        "'" + root + "/train_32x32.mat' is no MATLAB 5 file: its header is another one");
}

TEST_CASE("torchvision_dataset: a file cut at any byte is an error that names it") {
  struct Cut {
    const char *dataset, *split, *file;
    std::size_t step;
  };
  const std::vector<Cut> cuts = {
      {"MNIST", "train", "MNIST/raw/train-images-idx3-ubyte", 17},
      {"FashionMNIST", "test", "FashionMNIST/raw/t10k-images-idx3-ubyte.gz", 1},
      {"FashionMNIST", "test", "FashionMNIST/raw/t10k-labels-idx1-ubyte.gz", 1},
      {"CIFAR10", "test", "cifar-10-batches-py/test_batch", 3},
      {"CIFAR100", "test", "cifar-100-python/test", 3},
      {"STL10", "test", "stl10_binary/test_X.bin", 101},
      {"SVHN", "train", "train_32x32.mat", 3},
      {"SVHN", "test", "test_32x32.mat", 3},
  };
  for (const Cut& cut : cuts) {
    CAPTURE(cut.file);
    test::TempFolder folder;
    const fs::path golden = kGolden / cut.file;
    for (const fs::directory_entry& entry : fs::directory_iterator(golden.parent_path())) {
      if (entry.is_regular_file()) fs::copy(entry.path(), folder.path());
    }
    const std::string name = golden.filename().string();
    const std::string whole = test::read_file(golden);
    test::DataHost host;
    for (std::size_t size = 0; size < whole.size(); size += cut.step) {
      test::write_file(folder / name, whole.substr(0, size));
      std::string text;
      try {
        test::DataSource source(host.make("data_source", "torchvision_dataset",
                                          toml(cut.dataset, folder.path(), cut.split)));
      } catch (const Failure& error) {
        text = error.what();
      }
      CAPTURE(size);
      CAPTURE(text);
      REQUIRE(text.find(name) != std::string::npos);
    }
  }
}
