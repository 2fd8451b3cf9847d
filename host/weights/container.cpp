#include "host/weights/container.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>

#include "host/files/atomic_file.hpp"
#include "host/files/counted.hpp"
#include "host/files/damage.hpp"
#include "host/files/error.hpp"
#include "host/files/numpy_pickle_writer.hpp"
#include "host/files/safetensors_writer.hpp"
#include "host/files/tensor_list.hpp"
#include "host/files/torch_objects.hpp"
#include "host/files/torch_zip_writer.hpp"
#include "host/weights/part.hpp"

namespace vissl::host {
namespace {

std::string below(const std::string& path, const std::string& part) {
  return path.empty() ? part : path + "." + part;
}

// In lower case.
std::string ending_of(const std::filesystem::path& path) {
  std::string ending = path.extension().string();
  for (char& c : ending)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return ending;
}

// Compacts tensors. One tensor under several names stays one.
class Compactor {
 public:
  TensorRef operator()(const TensorRef& tensor) {
    const auto [it, is_new] = seen_.try_emplace(
        {tensor.storage.get(), tensor.offset, tensor.dtype, tensor.shape, tensor.strides});
    if (is_new) it->second = compact(tensor);
    return it->second;
  }

 private:
  using View = std::tuple<const Storage*, std::int64_t, DType, std::vector<std::int64_t>,
                          std::vector<std::int64_t>>;
  std::map<View, TensorRef> seen_;
};

// Copies a tree without what no container holds.
class Copier {
 public:
  explicit Copier(std::vector<LeftOut>& left_out) : left_out_(left_out) {}

  // False: the node is left out.
  bool copy(const Node& from, const std::string& path, Node& to) {
    switch (from.kind()) {
      case Node::Kind::opaque:
        left_out_.push_back({path, "an object of the class " + from.as_opaque().class_name});
        return false;
      case Node::Kind::tensor:
        to = compact_(from.as_tensor());
        return true;
      case Node::Kind::dict: {
        Dict dict;
        dict.is_ordered_dict = from.as_dict().is_ordered_dict;
        dict.attributes = from.as_dict().attributes;
        for (const auto& [key, value] : from.as_dict().entries()) {
          Node child;
          if (copy(value, below(path, to_text(key)), child)) dict.set(key, std::move(child));
        }
        to = std::move(dict);
        return true;
      }
      case Node::Kind::list:
      case Node::Kind::tuple: {
        std::vector<Node> items;
        for (std::size_t i = 0; i < from.as_items().size(); ++i) {
          Node child;  // None where something is left out, so that the others keep their places
          copy(from.as_items()[i], below(path, std::to_string(i)), child);
          items.push_back(std::move(child));
        }
        if (from.kind() == Node::Kind::list)
          to = List{std::move(items)};
        else
          to = Tuple{std::move(items)};
        return true;
      }
      default:
        to = from;
        return true;
    }
  }

 private:
  std::vector<LeftOut>& left_out_;
  Compactor compact_;
};

// Python's spelling of where the tensors with the dotted path `rest` stand below `node`.
void spell_places(const Node& node, std::string_view rest, const std::string& spelled,
                  std::vector<std::string>& places) {
  const auto step = [&](const std::string& key, const std::string& index, const Node& child) {
    const std::string place = spelled + "[" + index + "]";
    if (!rest.starts_with(key)) return;
    if (rest.size() == key.size()) {
      if (child.kind() == Node::Kind::tensor) places.push_back(place);
    } else if (rest[key.size()] == '.') {
      spell_places(child, rest.substr(key.size() + 1), place, places);
    }
  };
  if (node.kind() == Node::Kind::dict) {
    for (const auto& [key, value] : node.as_dict().entries()) {
      const std::string text = to_text(key);
      step(text, std::holds_alternative<std::string>(key) ? quoted_name(text) : text, value);
    }
  } else if (node.kind() == Node::Kind::opaque) {
    for (const auto& [part, value] : node.as_opaque().parts) step(part, quoted_name(part), value);
  } else if (node.kind() == Node::Kind::list || node.kind() == Node::Kind::tuple) {
    for (std::size_t i = 0; i < node.as_items().size(); ++i)
      step(std::to_string(i), std::to_string(i), node.as_items()[i]);
  }
}

bool has_tensor(const Node& tree) {
  bool has = false;
  for_each_tensor(tree, [&has](const std::string&, const TensorRef&) { has = true; });
  return has;
}

// What was joined of VISSL's shards or slices is one file now.
Node joined(const WeightsFile& file) {
  if (!file.format.starts_with("vissl_")) return file.tree;
  Node whole = Node::dict();
  whole["type"] = "consolidated";
  for (const auto& [key, value] : file.tree.as_dict().entries()) {
    const std::string name = to_text(key);
    if (name != "type" && name != "shards" && name != "layers") whole[key] = value;
  }
  return whole;
}

// The tensors below `part` of the names, as one flat dict.
Node flat_part(const Node& tree, const std::string& part, const std::string& name) {
  const std::string place = part.empty() ? "" : place_of_part(tree, part, name) + ".";
  Compactor compacted;
  Node flat = Node::ordered_dict();
  for_each_tensor(tree, [&](const std::string& path, const TensorRef& tensor) {
    if (!path.starts_with(place)) return;
    const std::string key = path.substr(place.size());
    if (flat.find(key) != nullptr) throw_same_path(tree, path, name);
    flat[key] = compacted(tensor);
  });
  return flat;
}

// Numbers and texts below dicts become safetensors' metadata; what else is no tensor is left out.
// `names` are those of the metadata that there are.
void add_metadata(const Node& node, const std::string& path, std::set<std::string>& names,
                  Contents& out) {
  const auto say = [&](std::string text) {
    if (names.insert(path).second)
      out.metadata.emplace_back(path, std::move(text));
    else
      out.left_out.push_back({path, "another value has the same dotted name"});
  };
  switch (node.kind()) {
    case Node::Kind::tensor:
      return;
    case Node::Kind::dict:
      for (const auto& [key, value] : node.as_dict().entries())
        add_metadata(value, below(path, to_text(key)), names, out);
      return;
    case Node::Kind::text:
      return say(node.as_text());
    case Node::Kind::integer:
      return say(std::to_string(node.as_int()));
    case Node::Kind::boolean:
      return say(node.as_bool() ? "True" : "False");
    case Node::Kind::real: {
      char text[40];
      std::snprintf(text, sizeof text, "%.17g", node.as_real());
      return say(text);
    }
    case Node::Kind::opaque:
      out.left_out.push_back({path, "an object of the class " + node.as_opaque().class_name});
      return;
    case Node::Kind::none:
    case Node::Kind::bytes:
      out.left_out.push_back({path, std::string("is ") + Node::name_of(node.kind()) +
                                        ", which safetensors cannot hold"});
      return;
    case Node::Kind::list:
    case Node::Kind::tuple: {
      if (path.empty()) {  // the file itself, which has no name: its items have their positions
        for (std::size_t i = 0; i < node.as_items().size(); ++i)
          add_metadata(node.as_items()[i], std::to_string(i), names, out);
        return;
      }
      std::size_t tensors = 0;
      for_each_tensor(node, [&](const std::string&, const TensorRef&) { ++tensors; });
      out.left_out.push_back(
          {path, std::string("a ") + Node::name_of(node.kind()) +
                     ", which safetensors cannot hold" +
                     (tensors == 0 ? "" : "; its tensors are kept, by their positions")});
      return;
    }
  }
}

}  // namespace

void throw_same_path(const Node& tree, const std::string& path, const std::string& name) {
  std::vector<std::string> places;
  spell_places(tree, path, "", places);
  places.resize(2);  // more would say no more
  throw Error(Exit::bad_data, name + ": two tensors have the name " + quoted_name(path) + ", at " +
                                  places[0] + " and " + places[1] +
                                  ", of which one would be lost; rename one, or convert the whole "
                                  "file --to torch, which keeps the tree");
}

void throw_no_tensor(const Node& tree, const std::string& name) {
  const auto classes = foreign_classes(tree);
  const auto empty = classes.find(kTensorWithoutData);
  if (empty == classes.end())
    throw Error(Exit::bad_data, name + " has no tensor; there is nothing to convert");
  throw Error(Exit::bad_data,
              name + " has " + counted(empty->second, "tensor") +
                  " without data, saved from the device 'meta', and no other; save the network "
                  "from the device where its weights are");
}

const char* name_of(Container container) {
  switch (container) {
    case Container::safetensors:
      return "safetensors";
    case Container::numpy:
      return "numpy pickle";
    case Container::torch:
      break;
  }
  return "torch";
}

Container container_of(const std::filesystem::path& path) {
  const std::string ending = ending_of(path);
  if (ending == ".safetensors") return Container::safetensors;
  return ending == ".pkl" ? Container::numpy : Container::torch;
}

void check_ending(const std::filesystem::path& path, Container container) {
  constexpr std::array kTorch = {".pth", ".pt", ".torch", ".bin", ".ckpt", ".tar", ".pyth"};
  constexpr std::array kForeign = {".npz",  ".npy", ".onnx", ".msgpack",
                                   ".json", ".h5",  ".gz",   ".tgz"};
  const std::string ending = ending_of(path);
  const bool is_foreign = std::ranges::find(kForeign, ending) != kForeign.end();
  const bool is_known =
      container_of(path) != Container::torch || std::ranges::find(kTorch, ending) != kTorch.end();
  if (!is_foreign && (!is_known || container_of(path) == container)) return;
  const char* good = container == Container::safetensors ? ".safetensors"
                     : container == Container::numpy     ? ".pkl"
                                                         : ".pth";
  throw Error(Exit::usage,
              "'" + path.string() + "' would be " +
                  (container == Container::torch ? "torch's zip" : name_of(container)) +
                  ", which is not what its ending says; call it '" +
                  std::filesystem::path(path).replace_extension(good).string() + "'" +
                  (is_foreign ? "" : ", or choose the container with --to"));
}

TensorRef compact(const TensorRef& tensor) {
  const std::uint64_t bytes = static_cast<std::uint64_t>(tensor.numel()) * size_bytes(tensor.dtype);
  if (tensor.is_contiguous() && tensor.offset == 0 && tensor.storage->size_bytes() == bytes)
    return tensor;
  TensorRef whole =
      TensorRef::contiguous(tensor.dtype, tensor.shape, Storage::lazy(bytes, [tensor] {
                              const std::vector<std::byte> packed = tensor.packed();
                              return Storage::copy_of(packed);
                            }));
  whole.requires_grad = tensor.requires_grad;
  whole.is_parameter = tensor.is_parameter;
  return whole;
}

Contents contents_of(const WeightsFile& file, Container container, const std::string& part,
                     const std::string& name) {
  Contents out;
  const Node tree = joined(file);
  if (!has_tensor(tree)) throw_no_tensor(tree, name);
  if (container == Container::safetensors || !part.empty()) {
    out.tree = flat_part(tree, part, name);
    std::set<std::string> names;
    if (part.empty() && file.metadata.empty()) add_metadata(tree, "", names, out);
  } else if (!Copier(out.left_out).copy(tree, "", out.tree)) {
    out.tree = flat_part(tree, "", name);
  }
  if (container == Container::safetensors) {
    out.metadata.insert(out.metadata.begin(), file.metadata.begin(), file.metadata.end());
  } else {
    for (const auto& [key, value] : file.metadata)
      if (key != "format")
        out.left_out.push_back({"__metadata__." + key, "metadata, which safetensors alone holds"});
  }
  if (!has_tensor(out.tree)) throw_no_tensor(tree, name);
  return out;
}

void write_container(const std::filesystem::path& path, Container container,
                     const Contents& contents) {
  if (container == Container::safetensors) {
    NamedTensors tensors;
    for_each_tensor(contents.tree, [&](const std::string& name, const TensorRef& tensor) {
      tensors.emplace_back(name, tensor);
    });
    // Other libraries look here for the framework that the tensors are of.
    std::vector<std::pair<std::string, std::string>> metadata = contents.metadata;
    const bool has_format = std::any_of(metadata.begin(), metadata.end(),
                                        [](const auto& pair) { return pair.first == "format"; });
    if (!has_format) metadata.insert(metadata.begin(), {"format", "pt"});
    return write_safetensors(path, tensors, metadata);
  }
  AtomicFile file(path);
  if (container == Container::numpy)
    write_numpy_pickle(file, contents.tree);
  else
    write_torch_zip(file, contents.tree);
  file.commit();
}

}  // namespace vissl::host
