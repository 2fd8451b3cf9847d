// CIFAR-10 and CIFAR-100: Python pickles of an (N, 3072) array and a list of labels, as torchvision
// keeps them, or the binary version: label bytes and 3072 pixels per image. Images are 3 planes of
// 32 x 32.
#include <algorithm>
#include <fstream>
#include <utility>

#include "content.hpp"
#include "pickle.hpp"

namespace {

constexpr std::size_t kSide = 32, kPlane = kSide * kSide, kImage = 3 * kPlane;

struct Names {
  std::vector<std::string> pickles, binaries;  // files of the split
  const char* label_key;
  std::size_t label_bytes;  // before the pixels of the binary version; the last one counts
  std::int64_t classes;
  std::string meta_pickle, meta_key, meta_text;  // names of the classes
};

Content empty_content() {
  Content content;
  content.height = content.width = kSide;
  content.channels = 3;
  content.row = kSide;
  content.column = 1;
  content.channel = kPlane;
  return content;
}

void add_label(Content& content, const Bytes& file, std::int64_t label, std::int64_t classes) {
  if (label < 0 || label >= classes) {
    bad_file(file, "has the label " + std::to_string(label) + "; labels run from 0 to " +
                       std::to_string(classes - 1));
  }
  content.labels.push_back(label);
}

void add_pickle(Content& content, const File& file, const Names& names) {
  const Pickled root = read_pickle(*file);
  const Pickled* data = root.find("data");
  const Pickled* labels = root.find(names.label_key);
  if (data == nullptr || labels == nullptr || labels->kind != Pickled::Kind::sequence) {
    bad_file(*file, std::string("has no entries 'data' and '") + names.label_key + "'");
  }
  const std::optional<PickledArray> array = as_byte_array(*data);
  if (!array || array->shape.size() != 2 || array->shape[1] != kImage) {
    bad_file(*file, "has 'data' that is no array of bytes with 3072 columns");
  }
  const std::size_t count = labels->items.size();
  if (array->shape[0] != static_cast<std::int64_t>(count) ||
      array->bytes.size() != count * kImage) {
    bad_file(*file, "should hold " + std::to_string(count * kImage) + " bytes of pixels for its " +
                        std::to_string(count) + " labels, and holds " +
                        std::to_string(array->bytes.size()));
  }
  for (const PickledRef& label : labels->items) {
    add_label(content, *file, label->kind == Pickled::Kind::integer ? label->integer : -1,
              names.classes);
  }
  const auto first = static_cast<std::size_t>(
      reinterpret_cast<const std::uint8_t*>(array->bytes.data()) - file->data);
  content.images.push_back({file, first, kImage, static_cast<std::int64_t>(count)});
}

void add_binary(Content& content, const File& file, const Names& names) {
  const std::size_t record = names.label_bytes + kImage;
  if (file->size % record != 0) {
    bad_file(*file, "has " + std::to_string(file->size) + " bytes, which is no multiple of the " +
                        std::to_string(record) + " of an image");
  }
  const std::size_t count = file->size / record;
  for (std::size_t i = 0; i < count; ++i) {
    add_label(content, *file, file->data[i * record + names.label_bytes - 1], names.classes);
  }
  content.images.push_back({file, names.label_bytes, record, static_cast<std::int64_t>(count)});
}

// Absent or unusual files of class names leave the classes nameless.
std::vector<std::string> class_names(const Folder& folder, const Names& names) {
  std::vector<std::string> found;
  if (const std::string path = folder.find({names.meta_pickle}); !path.empty()) {
    const File file = map_file(path);
    const Pickled root = read_pickle(*file);
    if (const Pickled* list = root.find(names.meta_key)) {
      for (const PickledRef& item : list->items) found.emplace_back(item->text);
    }
  } else if (const std::string text = folder.find({names.meta_text}); !text.empty()) {
    std::ifstream file(text);
    for (std::string line; file >> line;) found.push_back(line);
  }
  return found;
}

Content read_cifar(const Folder& folder, const Names& names) {
  Content content = empty_content();
  const bool pickles = !folder.find({names.pickles[0]}).empty();
  if (!pickles && folder.find({names.binaries[0]}).empty()) {
    folder.at({names.pickles[0], names.binaries[0]});  // says that both are missing
  }
  for (const std::string& name : pickles ? names.pickles : names.binaries) {
    const File file = map_file(folder.at({name}));
    (pickles ? add_pickle : add_binary)(content, file, names);
  }
  content.class_names = class_names(folder, names);
  return content;
}

}  // namespace

Content read_cifar10(const Folder& folder, bool train) {
  Names names{{}, {}, "labels", 1, 10, "batches.meta", "label_names", "batches.meta.txt"};
  if (train) {
    for (const char* k : {"1", "2", "3", "4", "5"}) {
      names.pickles.push_back(std::string("data_batch_") + k);
      names.binaries.push_back(std::string("data_batch_") + k + ".bin");
    }
  } else {
    names.pickles = {"test_batch"};
    names.binaries = {"test_batch.bin"};
  }
  return read_cifar(folder, names);
}

Content read_cifar100(const Folder& folder, bool train) {
  const std::string name = train ? "train" : "test";
  return read_cifar(folder, {{name},
                             {name + ".bin"},
                             "fine_labels",
                             2,
                             100,
                             "meta",
                             "fine_label_names",
                             "fine_label_names.txt"});
}
