#include "host/weights/slices.hpp"

#include "host/files/atomic_file.hpp"
#include "host/files/error.hpp"
#include "host/files/sha1.hpp"
#include "host/files/tensor_list.hpp"
#include "host/files/torch_zip_writer.hpp"

namespace vissl::host {
namespace {

constexpr const char* kModel = "classy_state_dict.base_model.model.";

void save(const std::filesystem::path& path, const Node& tree) {
  AtomicFile file(path);
  write_torch_zip(file, tree);
  file.commit();
}

}  // namespace

std::filesystem::path slices_folder(const std::filesystem::path& path) {
  return path.parent_path() / (path.stem().string() + "_layers");
}

Contents write_slices(const std::filesystem::path& path, const WeightsFile& file,
                      const std::string& name) {
  Contents out;
  Node list = Node::dict();
  list["type"] = "slice_list";
  Node& model = list["classy_state_dict"]["base_model"]["model"];
  model["trunk"] = Node::dict();
  model["heads"] = Node::dict();
  // As torch.load on another machine finds it: an absolute path, as VISSL stores it.
  const auto folder = std::filesystem::absolute(slices_folder(path));
  std::vector<std::pair<std::filesystem::path, TensorRef>> slices;
  for_each_tensor(file.tree, [&](const std::string& full, const TensorRef& tensor) {
    for (const std::string part : {"trunk", "heads"}) {
      const std::string place = kModel + part + ".";
      if (!full.starts_with(place)) continue;
      const std::string key = full.substr(place.size());
      if (model[part].find(key) != nullptr) throw_same_path(file.tree, full, name);
      // Names of the trunk and of the heads could be equal, their files must not.
      const auto slice = folder / (sha1_hex(part == "trunk" ? key : part + "." + key) + ".torch");
      model[part][key] = slice.string();
      slices.emplace_back(slice, tensor);
      out.tree[full] = tensor;
      return;
    }
    out.left_out.push_back({full, "not of the model, which is all that slices hold"});
  });
  if (model["trunk"].as_dict().size() == 0)
    throw Error(Exit::usage, name + " has no tensor below '" + kModel +
                                 "trunk'; slices are made of VISSL's checkpoints, which --to vissl "
                                 "makes of others");
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw_write_error(folder, error.value());
  for (const auto& [slice, tensor] : slices) {
    Node content = Node::dict();
    content["type"] = "slice";
    content["weight"] = compact(tensor);
    save(slice, content);
  }
  save(path, list);
  return out;
}

}  // namespace vissl::host
