#include "host/files/torch_zip_writer.hpp"

#include <unordered_map>

#include "host/files/damage.hpp"
#include "host/files/error.hpp"
#include "host/files/pickle_writer.hpp"
#include "host/files/zip_writer.hpp"

namespace vissl::host {
namespace {

constexpr int kDeepest = 1000;

// Walks the tree once: the pickle of its structure, and the storages in the order they were met.
class TreePickler {
 public:
  explicit TreePickler(const Node& tree) { value(tree, 0); }

  const std::string& finish() { return pickle_.finish(); }
  const std::vector<const Storage*>& storages() const { return storages_; }

 private:
  void value(const Node& node, int depth);
  void items(const std::vector<Node>& nodes, int depth);
  void dict(const Dict& dict, int depth);
  void tensor(const TensorRef& tensor);
  void storage(const TensorRef& tensor);
  void numbers(const std::vector<std::int64_t>& values);
  void empty_ordered_dict();

  struct Known {
    std::size_t key;
    DType dtype;
  };
  PickleWriter pickle_;
  std::vector<const Storage*> storages_;
  std::unordered_map<const Storage*, Known> known_;
};

void TreePickler::value(const Node& node, int depth) {
  if (depth > kDeepest) {
    throw Error(Exit::run_failed,
                "what is to be saved is nested deeper than 1000 levels; flatten it");
  }
  using Kind = Node::Kind;
  switch (node.kind()) {
    case Kind::none:
      return pickle_.none();
    case Kind::boolean:
      return pickle_.boolean(node.as_bool());
    case Kind::integer:
      return pickle_.integer(node.as_int());
    case Kind::real:
      return pickle_.real(node.as_real());
    case Kind::text:
      return pickle_.text(node.as_text());
    case Kind::bytes:
      return pickle_.bytes(node.as_bytes());
    case Kind::list:
      pickle_.empty_list();
      if (node.as_items().empty()) return;
      items(node.as_items(), depth);
      return pickle_.append_items();
    case Kind::tuple:
      if (node.as_items().empty()) return pickle_.empty_tuple();
      items(node.as_items(), depth);
      return pickle_.tuple();
    case Kind::dict:
      return dict(node.as_dict(), depth);
    case Kind::tensor:
      return tensor(node.as_tensor());
    case Kind::opaque:
      throw Error(Exit::run_failed, "an object of the foreign class " +
                                        quoted_name(node.as_opaque().class_name) +
                                        " cannot be saved; drop it or save its values");
  }
}

void TreePickler::items(const std::vector<Node>& nodes, int depth) {
  pickle_.mark();
  for (const Node& node : nodes) value(node, depth + 1);
}

void TreePickler::dict(const Dict& dict, int depth) {
  if (dict.is_ordered_dict) {
    empty_ordered_dict();
  } else {
    pickle_.empty_dict();
  }
  if (dict.size() > 0) {
    pickle_.mark();
    for (const Dict::Entry& entry : dict.entries()) {
      if (const auto* text = std::get_if<std::string>(&entry.key)) {
        pickle_.text(*text);
      } else {
        pickle_.integer(std::get<std::int64_t>(entry.key));
      }
      value(entry.value, depth + 1);
    }
    pickle_.set_items();
  }
  if (dict.is_ordered_dict && dict.attributes != nullptr) {
    value(*dict.attributes, depth + 1);
    pickle_.build();
  }
}

void TreePickler::empty_ordered_dict() {
  pickle_.global("collections", "OrderedDict");
  pickle_.empty_tuple();
  pickle_.reduce();
}

void TreePickler::numbers(const std::vector<std::int64_t>& values) {
  if (values.empty()) return pickle_.empty_tuple();
  pickle_.mark();
  for (const std::int64_t v : values) pickle_.integer(v);
  pickle_.tuple();
}

void TreePickler::tensor(const TensorRef& tensor) {
  if (const char* problem = tensor.invalid()) {
    throw Error(Exit::run_failed, std::string("cannot save ") + problem);
  }
  const DTypeFacts& type = facts(tensor.dtype);
  if (type.storage_class.starts_with('Q')) {
    throw Error(Exit::run_failed, "cannot save a tensor of the quantised type " +
                                      std::string(type.name) +
                                      " without its scale; make it float32 first");
  }
  const bool has_class = !type.storage_class.empty();
  if (tensor.is_parameter) {
    pickle_.global("torch._utils", "_rebuild_parameter");
    pickle_.mark();
  }
  pickle_.global("torch._utils", has_class ? "_rebuild_tensor_v2" : "_rebuild_tensor_v3");
  pickle_.mark();
  storage(tensor);
  pickle_.integer(tensor.offset);
  numbers(tensor.shape);
  numbers(tensor.strides);
  // A parameter carries the flag itself; the tensor inside it does not, as torch.save has it.
  pickle_.boolean(tensor.requires_grad && !tensor.is_parameter);
  empty_ordered_dict();  // backward hooks: none
  if (!has_class) pickle_.global("torch", type.name);
  pickle_.tuple();
  pickle_.reduce();
  if (tensor.is_parameter) {
    pickle_.boolean(tensor.requires_grad);
    empty_ordered_dict();
    pickle_.tuple();
    pickle_.reduce();
  }
}

void TreePickler::storage(const TensorRef& tensor) {
  const DTypeFacts& type = facts(tensor.dtype);
  const Storage* storage = tensor.storage.get();
  const auto [known, is_new] = known_.try_emplace(storage, Known{storages_.size(), tensor.dtype});
  if (is_new) storages_.push_back(storage);
  if (known->second.dtype != tensor.dtype) {
    throw Error(Exit::run_failed, "two tensors share memory as " +
                                      std::string(facts(known->second.dtype).name) + " and as " +
                                      std::string(type.name) +
                                      ", which the file format cannot hold; copy one of them");
  }
  if (storage->size_bytes() % type.size_bytes != 0) {
    throw Error(Exit::run_failed, "a storage of " + std::to_string(storage->size_bytes()) +
                                      " bytes cannot be saved as " + std::string(type.name) +
                                      ", whose elements take " + std::to_string(type.size_bytes) +
                                      "; copy the tensors that lie in it");
  }
  const bool has_class = !type.storage_class.empty();
  pickle_.mark();
  pickle_.text("storage");
  if (has_class) {
    pickle_.global("torch", type.storage_class);
  } else {
    pickle_.global("torch.storage", "UntypedStorage");
  }
  pickle_.text(std::to_string(known->second.key));
  pickle_.text("cpu");
  const std::uint64_t count = storage->size_bytes() / (has_class ? type.size_bytes : 1u);
  pickle_.integer(static_cast<std::int64_t>(count));
  pickle_.tuple();
  pickle_.persistent_id();
}

}  // namespace

void write_torch_zip(Sink& sink, const Node& tree, const TorchZipOptions& options) {
  TreePickler pickler(tree);
  ZipWriter zip(sink, options.zip64_from);
  const std::string root = options.root + "/";
  zip.add_text(root + "data.pkl", pickler.finish());
  zip.add_text(root + ".format_version", "1");
  zip.add_text(root + ".storage_alignment", "64");
  zip.add_text(root + "byteorder", "little");
  for (std::size_t key = 0; key < pickler.storages().size(); ++key) {
    zip.add(root + "data/" + std::to_string(key), pickler.storages()[key]->bytes());
  }
  zip.add_text(root + "version", "3\n");
  zip.finish();
}

}  // namespace vissl::host
