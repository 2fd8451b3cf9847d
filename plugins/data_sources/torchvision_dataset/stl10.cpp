// STL-10's binary files: images of 3 planes of 96 columns of 96 bytes, labels from 1 to 10.
#include <fstream>

#include "content.hpp"

Content read_stl10(const Folder& folder, bool train) {
  constexpr std::size_t kSide = 96, kPlane = kSide * kSide, kImage = 3 * kPlane;
  const std::string name = train ? "train" : "test";
  const File images = map_file(folder.at({name + "_X.bin"}));
  const File labels = map_file(folder.at({name + "_y.bin"}));
  if (images->size != labels->size * kImage) {
    bad_file(*images, "should hold " + std::to_string(labels->size * kImage) + " bytes for the " +
                          std::to_string(labels->size) + " labels of '" + labels->path +
                          "', and holds " + std::to_string(images->size));
  }
  Content content;
  content.height = content.width = kSide;
  content.channels = 3;
  content.row = 1;
  content.column = kSide;
  content.channel = kPlane;
  content.images.push_back({images, 0, kImage, static_cast<std::int64_t>(labels->size)});
  for (std::size_t i = 0; i < labels->size; ++i) {
    const std::uint8_t label = labels->data[i];
    if (label < 1 || label > 10) {
      bad_file(*labels, "has the label " + std::to_string(label) + " at position " +
                            std::to_string(i) + "; labels run from 1 to 10");
    }
    content.labels.push_back(label - 1);
  }
  const std::string names = folder.find({"class_names.txt"});
  if (!names.empty()) {
    std::ifstream file(names);
    for (std::string line; file >> line;) content.class_names.push_back(line);
  }
  return content;
}
