// The idx format of MNIST and its kin: magic 00 00 08 n (bytes in n dimensions), n big-endian
// sizes, then the bytes. Plain or gzip. Images stay gray, as torchvision gives them.
#include "content.hpp"

namespace {

struct Idx {
  File file;
  std::vector<std::int64_t> sizes;
  std::size_t first;  // where the bytes begin
};

Idx read_idx(const std::string& path, std::size_t dimensions, const char* what) {
  Idx idx{unpack_file(path), {}, 4 + 4 * dimensions};
  const Bytes& file = *idx.file;
  if (file.size < idx.first) {
    bad_file(file, "has " + std::to_string(file.size) + " bytes, less than the header of " + what);
  }
  const std::uint8_t* bytes = file.data;
  if (bytes[0] != 0 || bytes[1] != 0 || bytes[2] != 8 || bytes[3] != dimensions) {
    const char* hex = "0123456789abcdef";
    std::string met;
    for (int i = 0; i < 4; ++i) (met += hex[bytes[i] >> 4]) += hex[bytes[i] & 15];
    bad_file(file, std::string("does not hold ") + what + ": it begins with " + met +
                       " instead of 0000080" + std::to_string(dimensions));
  }
  std::size_t expected = 1;
  for (std::size_t d = 0; d < dimensions; ++d) {
    const std::uint8_t* at = bytes + 4 + 4 * d;
    const std::uint32_t size =
        std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 | at[3];
    idx.sizes.push_back(size);
    if (__builtin_mul_overflow(expected, std::size_t{size}, &expected)) {
      bad_file(file, "claims more bytes than memory can have");
    }
  }
  if (file.size - idx.first != expected) {
    bad_file(file, "should hold " + std::to_string(idx.first + expected) +
                       " bytes by its header, and holds " + std::to_string(file.size) +
                       " (unpacked)");
  }
  return idx;
}

}  // namespace

Content read_mnist(const Folder& folder, bool train) {
  const auto path = [&](const std::string& rest) {
    const std::string name = (train ? "train-" : "t10k-") + rest;
    return folder.at({name, name + ".gz"});
  };
  const Idx images = read_idx(path("images-idx3-ubyte"), 3, "idx images");
  const Idx labels = read_idx(path("labels-idx1-ubyte"), 1, "idx labels");
  if (images.sizes[0] != labels.sizes[0]) {
    bad_file(*labels.file, "has " + std::to_string(labels.sizes[0]) + " labels for the " +
                               std::to_string(images.sizes[0]) + " images of '" +
                               images.file->path + "'");
  }
  Content content;
  content.height = images.sizes[1];
  content.width = images.sizes[2];
  content.channels = 1;
  if (content.height == 0 || content.width == 0)
    bad_file(*images.file, "has images without pixels");
  content.row = static_cast<std::size_t>(content.width);
  content.column = 1;
  content.images.push_back({images.file, images.first,
                            static_cast<std::size_t>(content.height * content.width),
                            images.sizes[0]});
  const std::uint8_t* first = labels.file->data + labels.first;
  content.labels.assign(first, first + labels.sizes[0]);
  return content;
}
