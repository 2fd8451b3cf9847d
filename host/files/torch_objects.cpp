#include "host/files/torch_objects.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "host/files/damage.hpp"

namespace vissl::host {
namespace {

using Kind = PickleObject::Kind;

// A storage as the pickle names it: ('storage', class, key, location, numel).
struct StorageName {
  std::string key;
  std::optional<DType> dtype;  // of the storage class; none if it is untyped
  std::uint64_t numel = 0;     // bytes if untyped
};

class TorchObjects {
 public:
  TorchObjects(const PickleGraph& graph, StorageSource& source, const std::string& file,
               const TorchObjectLimits& limits)
      : graph_(graph), source_(source), file_(file), limits_(limits) {}

  Node value(PickleId id, int depth);

 private:
  [[noreturn]] void damaged(const std::string& what) const { throw_damaged(file_, what, 0); }
  void spend(std::uint64_t nodes);

  std::vector<Node> values(const std::vector<PickleId>& ids, int depth);
  Node dict(const std::vector<PickleId>& pairs, bool is_ordered_dict, int depth);
  Node call(const PickleObject& object, int depth);
  Node ordered_dict(const PickleObject& object, int depth);
  Node bytes(const std::vector<PickleId>& args) const;
  Node tensor(std::string_view function, const std::vector<PickleId>& args);
  Node parameter(const std::vector<PickleId>& args, int depth);
  Node opaque(const PickleObject& object, int depth);

  StorageName storage_name(PickleId id) const;
  std::shared_ptr<Storage> storage(const StorageName& name, DType dtype);
  std::int64_t integer(PickleId id) const;
  std::vector<std::int64_t> integers(PickleId id) const;
  std::string global_name(PickleId id) const;
  const std::vector<PickleId>& arguments(const PickleObject& object) const;

  const PickleGraph& graph_;
  StorageSource& source_;
  const std::string& file_;
  const TorchObjectLimits& limits_;
  std::uint64_t nodes_ = 0;
  std::unordered_map<std::string, std::shared_ptr<Storage>> storages_;
};

void TorchObjects::spend(std::uint64_t nodes) {
  nodes_ += nodes;
  if (nodes_ > limits_.most_nodes) damaged("holds too many values");
}

Node TorchObjects::value(PickleId id, int depth) {
  if (depth > limits_.deepest) damaged("is nested too deep, or an object contains itself");
  const PickleObject& object = graph_[id];
  spend(1 + object.text.size() / 64);
  switch (object.kind) {
    case Kind::none:
      return {};
    case Kind::boolean:
      return Node(object.integer != 0);
    case Kind::integer:
      return Node(object.integer);
    case Kind::real:
      return Node(object.real);
    case Kind::text:
      return Node(object.text);
    case Kind::bytes:
      return Node(Bytes{object.text});
    case Kind::list:
      return Node(List{values(object.elements, depth)});
    case Kind::tuple:
      return Node(Tuple{values(object.elements, depth)});
    case Kind::set:
      return Node(Opaque{"builtins.set", {{"elements", List{values(object.elements, depth)}}}});
    case Kind::dict:
      return dict(object.pairs, false, depth);
    case Kind::global:
      return Node(Opaque{object.text, {}});
    case Kind::call:
      return call(object, depth);
    case Kind::persistent:
      return Node(Opaque{"persistent id", {{"args", value(object.args, depth + 1)}}});
  }
  return {};
}

std::vector<Node> TorchObjects::values(const std::vector<PickleId>& ids, int depth) {
  std::vector<Node> nodes;
  nodes.reserve(std::min<std::size_t>(ids.size(), limits_.most_nodes));
  for (const PickleId id : ids) nodes.push_back(value(id, depth + 1));
  return nodes;
}

Node TorchObjects::dict(const std::vector<PickleId>& pairs, bool is_ordered_dict, int depth) {
  Dict dict;
  dict.is_ordered_dict = is_ordered_dict;
  for (std::size_t i = 0; i < pairs.size(); i += 2) {
    const PickleObject& key = graph_[pairs[i]];
    spend(1 + key.text.size() / 64);
    switch (key.kind) {
      case Kind::text:
      case Kind::bytes:  // text that Python 2 wrote
        dict.set(key.text, value(pairs[i + 1], depth + 1));
        break;
      case Kind::integer:
      case Kind::boolean:
        dict.set(key.integer, value(pairs[i + 1], depth + 1));
        break;
      default: {
        // Keys of other kinds have no place in a Dict: keep the pairs, in order, for whoever cares.
        return Node(Opaque{"builtins.dict", {{"items", List{values(pairs, depth)}}}});
      }
    }
  }
  return Node(std::move(dict));
}

const std::vector<PickleId>& TorchObjects::arguments(const PickleObject& object) const {
  static const std::vector<PickleId> kNone;
  const PickleObject& args = graph_[object.args];
  return args.kind == Kind::tuple ? args.elements : kNone;
}

Node TorchObjects::call(const PickleObject& object, int depth) {
  const PickleObject& callable = graph_[object.callable];
  if (callable.kind != Kind::global) return opaque(object, depth);
  const std::string_view name = callable.text;
  const auto& args = arguments(object);
  constexpr std::string_view kUtils = "torch._utils.";
  if (name == "collections.OrderedDict") return ordered_dict(object, depth);
  if (name == "collections.defaultdict" || name == "collections.Counter") {
    return dict(object.pairs, false, depth);
  }
  if (name == "_codecs.encode") return bytes(args);
  if (name == "torch.Size" && args.size() == 1) {
    return Node(Tuple{values(graph_[args[0]].elements, depth)});
  }
  if (name.starts_with(kUtils)) {
    const std::string_view function = name.substr(kUtils.size());
    if (function == "_rebuild_tensor" || function == "_rebuild_tensor_v2" ||
        function == "_rebuild_tensor_v3") {
      return tensor(function, args);
    }
    if (function == "_rebuild_parameter" || function == "_rebuild_parameter_with_state") {
      return parameter(args, depth);
    }
  }
  return opaque(object, depth);
}

Node TorchObjects::ordered_dict(const PickleObject& object, int depth) {
  std::vector<PickleId> pairs;
  const auto& args = arguments(object);
  if (args.size() == 1) {  // OrderedDict([[key, value], ...]), as Python 2 writes it
    for (const PickleId id : graph_[args[0]].elements) {
      const PickleObject& pair = graph_[id];
      if (pair.elements.size() != 2) damaged("has an OrderedDict that is not made of pairs");
      pairs.insert(pairs.end(), pair.elements.begin(), pair.elements.end());
    }
  }
  pairs.insert(pairs.end(), object.pairs.begin(), object.pairs.end());
  Node node = dict(pairs, true, depth);
  if (object.state != kNoPickle && node.kind() == Node::Kind::dict) {
    node.as_dict().attributes = std::make_shared<const Node>(value(object.state, depth + 1));
  }
  return node;
}

// _codecs.encode(text, "latin1"): each character is one byte.
Node TorchObjects::bytes(const std::vector<PickleId>& args) const {
  if (args.size() != 2 || graph_[args[0]].kind != Kind::text || graph_[args[1]].text != "latin1") {
    damaged("has bytes in an unknown encoding");
  }
  const std::string& text = graph_[args[0]].text;
  Bytes out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      out.data += text[i];
    } else if ((lead == 0xc2 || lead == 0xc3) && i + 1 < text.size()) {
      ++i;
      out.data +=
          static_cast<char>(((lead & 3) << 6) | (static_cast<unsigned char>(text[i]) & 0x3f));
    } else {
      damaged("has bytes that are not latin1");
    }
  }
  return Node(std::move(out));
}

std::int64_t TorchObjects::integer(PickleId id) const {
  if (graph_[id].kind != Kind::integer) damaged("has a tensor with a number that is no integer");
  return graph_[id].integer;
}

// A tuple of integers; also torch.Size(tuple).
std::vector<std::int64_t> TorchObjects::integers(PickleId id) const {
  constexpr std::size_t kMostDimensions = 64;
  const PickleObject* object = &graph_[id];
  if (object->kind == Kind::call && global_name(object->callable) == "torch.Size") {
    const auto& args = arguments(*object);
    if (args.size() == 1) object = &graph_[args[0]];
  }
  if ((object->kind != Kind::tuple && object->kind != Kind::list) ||
      object->elements.size() > kMostDimensions) {
    damaged("has a tensor with a bad shape");
  }
  std::vector<std::int64_t> numbers;
  for (const PickleId element : object->elements) numbers.push_back(integer(element));
  return numbers;
}

std::string TorchObjects::global_name(PickleId id) const {
  return graph_[id].kind == Kind::global ? graph_[id].text : std::string();
}

StorageName TorchObjects::storage_name(PickleId id) const {
  const PickleObject& object = graph_[id];
  if (object.kind != Kind::persistent || graph_[object.args].kind != Kind::tuple) {
    damaged("has a tensor without a storage");
  }
  const auto& parts = graph_[object.args].elements;
  if (parts.size() < 5 || graph_[parts[0]].text != "storage" ||
      graph_[parts[2]].kind != Kind::text) {
    damaged("has a storage with a bad name");
  }
  const std::string class_name = global_name(parts[1]);
  StorageName name;
  name.key = graph_[parts[2]].text;
  if (name.key.find('/') != std::string::npos) damaged("has a storage with a bad name");
  const bool is_untyped = class_name == "torch.storage.UntypedStorage" ||
                          class_name == "torch.UntypedStorage" ||
                          class_name == "torch.storage._UntypedStorage";
  if (!is_untyped) {
    for (const std::string_view prefix : {"torch.cuda.", "torch."}) {
      if (!class_name.starts_with(prefix)) continue;
      name.dtype = dtype_by_storage_class(std::string_view(class_name).substr(prefix.size()));
      break;
    }
    if (!name.dtype) {
      damaged("has a tensor of the unknown element type " + quoted_name(class_name));
    }
  }
  const std::int64_t numel = integer(parts[4]);
  if (numel < 0) damaged("has a storage of negative size");
  name.numel = static_cast<std::uint64_t>(numel);
  return name;
}

std::shared_ptr<Storage> TorchObjects::storage(const StorageName& name, DType dtype) {
  const auto found = storages_.find(name.key);
  if (found != storages_.end()) return found->second;
  std::uint64_t least = 0;
  const std::uint64_t unit = name.dtype ? size_bytes(*name.dtype) : 1;
  if (__builtin_mul_overflow(name.numel, unit, &least)) damaged("has a storage of impossible size");
  auto storage = source_.storage(name.key, least, dtype);
  storages_.emplace(name.key, storage);
  return storage;
}

Node TorchObjects::tensor(std::string_view function, const std::vector<PickleId>& args) {
  // (storage, offset, size, stride[, requires_grad, hooks[, dtype | metadata]])
  const bool is_v3 = function == "_rebuild_tensor_v3";
  const std::size_t least = function == "_rebuild_tensor" ? 4 : is_v3 ? 7 : 6;
  if (args.size() < least) damaged("has a tensor with too few facts");
  const StorageName name = storage_name(args[0]);
  TensorRef tensor;
  if (is_v3) {
    const std::string dtype_name = global_name(args[6]);
    constexpr std::string_view kTorch = "torch.";
    const auto dtype = dtype_name.starts_with(kTorch)
                           ? dtype_by_name(std::string_view(dtype_name).substr(kTorch.size()))
                           : std::nullopt;
    if (!dtype) damaged("has a tensor of the unknown element type " + quoted_name(dtype_name));
    tensor.dtype = *dtype;
  } else if (name.dtype) {
    tensor.dtype = *name.dtype;
  } else {
    damaged("has a tensor without an element type");
  }
  // Metadata marks a lazily conjugated or negated view: its bytes are not its values.
  const std::size_t metadata = is_v3 ? 7 : 6;
  if (args.size() > metadata && !graph_[args[metadata]].pairs.empty()) {
    for (std::size_t i = 1; i < graph_[args[metadata]].pairs.size(); i += 2) {
      if (graph_[graph_[args[metadata]].pairs[i]].integer != 0) {
        damaged(
            "has a lazily conjugated or negated tensor, save it after "
            "resolve_conj().resolve_neg()");
      }
    }
  }
  tensor.storage = storage(name, tensor.dtype);
  tensor.offset = integer(args[1]);
  tensor.shape = integers(args[2]);
  spend(tensor.shape.size());
  tensor.strides = integers(args[3]);
  tensor.requires_grad = least > 4 && graph_[args[4]].integer != 0;
  if (const char* problem = tensor.invalid()) damaged(std::string("has ") + problem);
  return Node(std::move(tensor));
}

Node TorchObjects::parameter(const std::vector<PickleId>& args, int depth) {
  if (args.size() < 3) damaged("has a parameter with too few facts");
  Node node = value(args[0], depth + 1);
  if (node.kind() != Node::Kind::tensor) return node;
  TensorRef tensor = node.as_tensor();
  tensor.is_parameter = true;
  tensor.requires_grad = graph_[args[1]].integer != 0;
  return Node(std::move(tensor));
}

Node TorchObjects::opaque(const PickleObject& object, int depth) {
  Opaque opaque;
  const PickleObject& callable = graph_[object.callable];
  opaque.class_name = callable.kind == Kind::global ? callable.text : "unnamed";
  if (callable.kind != Kind::global) {
    opaque.parts.emplace_back("callable", value(object.callable, depth + 1));
  }
  opaque.parts.emplace_back("args", value(object.args, depth + 1));
  if (object.state != kNoPickle) {
    opaque.parts.emplace_back("state", value(object.state, depth + 1));
  }
  if (!object.elements.empty()) {
    opaque.parts.emplace_back("elements", List{values(object.elements, depth)});
  }
  if (!object.pairs.empty()) {
    opaque.parts.emplace_back("items", dict(object.pairs, false, depth + 1));
  }
  return Node(std::move(opaque));
}

}  // namespace

Node torch_objects(const PickleGraph& graph, StorageSource& source, const std::string& file,
                   const TorchObjectLimits& limits) {
  return TorchObjects(graph, source, file, limits).value(graph.root, 0);
}

}  // namespace vissl::host
