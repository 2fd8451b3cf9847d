#pragma once
// What the files of a data set hold: 8-bit images of one size, and a class for each. All functions
// throw Failure (VISSL_E_DATA) that names the file, what it should hold and what it holds.
#include <vissl/error.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

// A file's bytes: mapped, or unpacked to memory.
class Bytes {
 public:
  virtual ~Bytes() = default;
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  std::string path;
};
using File = std::shared_ptr<const Bytes>;

// The file as it is. Shared by all readers; pages are read when they are needed.
File map_file(const std::string& path);
// The file, unpacked if it is gzip.
File unpack_file(const std::string& path);

// Consecutive images in one file; `first` is where the first one begins.
struct Images {
  File file;
  std::size_t first = 0, stride = 0;  // bytes; stride: from one image to the next
  std::int64_t count = 0;
};

struct Content {
  std::int64_t height = 0, width = 0, channels = 0;
  std::size_t row = 0, column = 0,
              channel = 0;     // bytes from one pixel to the next in each direction
  std::vector<Images> images;  // in the order of the labels
  std::vector<std::int64_t> labels;
  std::vector<std::string> class_names;  // by label; empty = not known
};

// Where the files of a data set lie: below `root` as torchvision puts them, or in `root` itself.
class Folder {
 public:
  // `below`: folders to look in, relative to root, most specific first.
  Folder(std::string root, std::vector<std::string> below);
  // The path of the first that exists of `names`; empty when none does.
  std::string find(const std::vector<std::string>& names) const;
  // The same; fails with a sentence that says what was looked for and where.
  std::string at(const std::vector<std::string>& names) const;

 private:
  std::string root_;
  std::vector<std::string> folders_;
};

Content read_mnist(const Folder& folder, bool train);    // MNIST and FashionMNIST: idx files
Content read_cifar10(const Folder& folder, bool train);  // pickles, or the binary version
Content read_cifar100(const Folder& folder, bool train);
Content read_stl10(const Folder& folder, bool train);  // raw columns
Content read_svhn(const Folder& folder, bool train);   // MATLAB 5 files

[[noreturn]] void bad_file(const Bytes& file, const std::string& what);
