// The tensors that torch's _rebuild functions stand for.
#include <algorithm>

#include "host/files/damage.hpp"
#include "host/files/derived_tensors.hpp"
#include "host/files/file_bytes.hpp"
#include "host/files/torch_legacy_reader.hpp"
#include "host/files/torch_object_builder.hpp"

namespace vissl::host {
namespace {

std::optional<DType> torch_dtype(std::string_view global) {
  constexpr std::string_view kTorch = "torch.";
  if (!global.starts_with(kTorch)) return std::nullopt;
  return dtype_by_name(global.substr(kTorch.size()));
}

bool is_packed_quantized(DType dtype) {
  return dtype == DType::quint4x2 || dtype == DType::quint2x4;
}

}  // namespace

// torch.FloatTensor, torch.cuda.FloatTensor: how the first releases saved a tensor.
bool TorchObjects::is_tensor_class(std::string_view name) const {
  for (const std::string_view prefix : {"torch.cuda.", "torch."}) {
    if (!name.starts_with(prefix)) continue;
    name.remove_prefix(prefix.size());
    if (!name.ends_with("Tensor")) return false;
    name.remove_suffix(std::string_view("Tensor").size());
    return name.empty() || dtype_by_storage_class(std::string(name) + "Storage").has_value();
  }
  return false;
}

StorageName TorchObjects::storage_name(PickleId id) const {
  const PickleObject& object = graph_[id];
  if (object.kind != Kind::persistent || graph_[object.args].kind != Kind::tuple) {
    damaged("has a tensor without a storage");
  }
  const Ids& parts = graph_[object.args].elements;
  if (parts.size() < 5 || graph_[parts[0]].text != "storage" ||
      (graph_[parts[2]].kind != Kind::text && graph_[parts[2]].kind != Kind::bytes)) {
    damaged("has a storage with a bad name");
  }
  StorageName name;
  name.class_name = global_name(parts[1]);
  name.key = graph_[parts[2]].text;
  if (name.key.find('/') != std::string::npos) damaged("has a storage with a bad name");
  for (const std::string_view untyped :
       {"torch.storage.UntypedStorage", "torch.UntypedStorage", "torch.storage._UntypedStorage"}) {
    name.is_untyped = name.is_untyped || name.class_name == untyped;
  }
  for (const std::string_view prefix : {"torch.cuda.", "torch."}) {
    if (name.is_untyped || !name.class_name.starts_with(prefix)) continue;
    name.dtype = dtype_by_storage_class(std::string_view(name.class_name).substr(prefix.size()));
    break;
  }
  const std::int64_t numel = integer(parts[4]);
  if (numel < 0) damaged("has a storage of negative size");
  name.numel = static_cast<std::uint64_t>(numel);
  if (parts.size() > 5 && graph_[parts[5]].kind == Kind::tuple) {
    const Ids& view = graph_[parts[5]].elements;  // (key, offset, size)
    std::int64_t end = 0;
    if (view.size() != 3 || integer(view[1]) < 0 || integer(view[2]) < 0 ||
        __builtin_add_overflow(integer(view[1]), integer(view[2]), &end) || end > numel) {
      damaged("has a storage view beyond its storage");
    }
    name.view_offset = integer(view[1]);
  }
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

// A storage that is saved without a tensor, as a tensor of one dimension.
Node TorchObjects::flat_storage(PickleId id) {
  const StorageName name = storage_name(id);
  if (!name.dtype && !name.is_untyped) return unknown_type(name.class_name);
  const DType dtype = name.dtype.value_or(DType::uint8);
  TensorRef tensor = TensorRef::contiguous(dtype, {static_cast<std::int64_t>(name.numel)}, nullptr);
  tensor.storage = storage(name, dtype);
  if (const char* problem = tensor.invalid()) damaged(std::string("has ") + problem);
  return Node(std::move(tensor));
}

// torch.storage._load_from_bytes(bytes): how pickle.dump, rather than torch.save, saves a storage.
std::optional<TensorRef> TorchObjects::nested_storage(PickleId id) {
  const PickleObject& object = graph_[id];
  if (object.kind != Kind::call || arguments(object).size() != 1 ||
      callable_name(object.callable) != "torch.storage._load_from_bytes") {
    return std::nullopt;
  }
  if (const auto known = nested_.find(id); known != nested_.end()) return known->second;
  if (options_.is_nested) damaged("has a pickled storage inside a pickled storage");
  const Node bytes = value(arguments(object)[0], 0);
  if (bytes.kind() != Node::Kind::bytes) damaged("has a pickled storage that is none");
  const auto kept = std::make_shared<const std::string>(bytes.as_bytes());
  FileBytes file{std::as_bytes(std::span(*kept)), kept, file_};
  if (const auto raw = raw_bytes(arguments(object)[0]); raw && !raw->is_text) {
    const bool stays = options_.keep_alive != nullptr &&
                       raw->bytes.data() >= graph_.source.data() &&
                       raw->bytes.data() < graph_.source.data() + graph_.source.size();
    if (stays) file = {std::as_bytes(std::span(raw->bytes)), options_.keep_alive, file_};
  }
  return nested_.emplace(id, read_torch_legacy_storage(file, options_)).first->second;
}

Node TorchObjects::unknown_type(const std::string& type) const {
  warn("contains a tensor of the unknown element type " + quoted_name(type) +
       ", which cannot be used");
  return Node(Opaque{type.empty() ? "tensor of an unknown type" : type, {}});
}

// (storage, offset, size, stride[, requires_grad, hooks[, dtype][, metadata]])
Node TorchObjects::tensor(std::string_view function, const Ids& args) {
  const bool is_v3 = function == "_rebuild_tensor_v3";
  const std::size_t least = function == "_rebuild_tensor" ? 4 : is_v3 ? 7 : 6;
  if (args.size() < least) damaged("has a tensor with too few facts");
  const auto nested = nested_storage(args[0]);
  const StorageName name = nested ? StorageName() : storage_name(args[0]);
  const std::optional<DType> own = nested ? nested->dtype : name.dtype;
  const std::optional<DType> dtype = is_v3 ? torch_dtype(global_name(args[6])) : own;
  if (!dtype) return unknown_type(is_v3 ? global_name(args[6]) : name.class_name);
  Node node;
  if (nested) {
    TensorRef view = *nested;
    view.dtype = *dtype;
    view.offset = 0;
    node = placed_tensor(std::move(view), args);
  } else {
    node = placed_tensor(name, *dtype, args);
  }
  TensorRef tensor = node.as_tensor();
  tensor.requires_grad = least > 4 && graph_[args[4]].integer != 0;
  node = Node(std::move(tensor));
  const std::size_t metadata = is_v3 ? 7 : 6;
  if (least > 4 && !elements(args[5]).empty()) warn("contains a tensor with backward hooks");
  return args.size() > metadata ? resolved(std::move(node), args[metadata]) : node;
}

Node TorchObjects::placed_tensor(const StorageName& name, DType dtype, const Ids& args) {
  TensorRef tensor;
  tensor.dtype = dtype;
  tensor.storage = storage(name, dtype);
  tensor.offset = name.view_offset;
  return placed_tensor(std::move(tensor), args);
}

// The view (storage, offset, size, stride, ...) of a tensor's storage, counted from its offset.
Node TorchObjects::placed_tensor(TensorRef tensor, const Ids& args) {
  const std::int64_t offset = integer(args[1]);
  if (offset < 0) damaged("has a tensor with a negative offset");
  if (__builtin_add_overflow(offset, tensor.offset, &tensor.offset)) {
    damaged("has a tensor whose size overflows");
  }
  tensor.shape = integers(args[2]);
  spend(tensor.shape.size());
  tensor.strides = integers(args[3]);
  if (const char* problem = tensor.invalid()) damaged(std::string("has ") + problem);
  return Node(std::move(tensor));
}

// Metadata marks a lazily conjugated or negated view: its bytes are not yet its values.
Node TorchObjects::resolved(Node tensor, PickleId metadata) const {
  const Ids& pairs = graph_[metadata].pairs;
  bool is_conjugate = false;
  bool is_negative = false;
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
    const bool is_set = graph_[pairs[i + 1]].integer != 0;
    if (graph_[pairs[i]].text == "conj") is_conjugate = is_set;
    if (graph_[pairs[i]].text == "neg") is_negative = is_set;
  }
  if (!is_conjugate && !is_negative) return tensor;
  return Node(resolved_view(tensor.as_tensor(), is_conjugate, is_negative));
}

// (data, requires_grad, hooks[, state])
Node TorchObjects::parameter(const Ids& args, int depth) {
  if (args.size() < 3) damaged("has a parameter with too few facts");
  Node node = value(args[0], depth + 1);
  if (node.kind() != Node::Kind::tensor) return node;
  TensorRef tensor = node.as_tensor();
  tensor.is_parameter = true;
  tensor.requires_grad = graph_[args[1]].integer != 0;
  return Node(std::move(tensor));
}

// (storage, offset, size, stride, (scheme, scale, zero point) or (scheme, scales, zero points,
// axis), requires_grad, hooks)
Node TorchObjects::quantized(const Ids& args, int depth) {
  if (args.size() < 5) damaged("has a quantised tensor with too few facts");
  const StorageName name = storage_name(args[0]);
  if (!name.dtype || is_packed_quantized(*name.dtype)) return unknown_type(name.class_name);
  Node node = placed_tensor(name, *name.dtype, args);
  if (!options_.dequantize || !is_quantized(*name.dtype)) return node;
  const Ids& params = elements(args[4]);
  const std::string scheme = params.empty() ? "" : global_name(params[0]);
  const TensorRef& integers = node.as_tensor();
  if (scheme == "torch.per_tensor_affine" && params.size() == 3 &&
      graph_[params[1]].kind == Kind::real) {
    return Node(dequantized(integers, graph_[params[1]].real, integer(params[2])));
  }
  if (scheme.starts_with("torch.per_channel_affine") && params.size() == 4) {
    const Node scales = value(params[1], depth + 1);
    const Node zero_points = value(params[2], depth + 1);
    const std::int64_t axis = integer(params[3]);
    if (scales.kind() == Node::Kind::tensor && zero_points.kind() == Node::Kind::tensor &&
        axis >= 0 && axis < static_cast<std::int64_t>(integers.shape.size())) {
      return Node(
          dequantized(integers, scales.as_tensor(), zero_points.as_tensor(), axis, label()));
    }
  }
  damaged("has a quantised tensor of the unknown scheme " + quoted_name(scheme));
}

// (layout, (indices, values, size[, is_coalesced])) or (layout, (compressed, plain, values, size));
// of old releases without the layout.
Node TorchObjects::sparse(std::string_view function, const Ids& args, int depth) {
  const bool is_old = function == "_rebuild_sparse_csr_tensor" && args.size() == 4;
  std::string layout = "torch.sparse_csr";
  const Ids* parts = &args;
  if (!is_old) {
    if (args.size() < 2) damaged("has a sparse tensor with too few facts");
    const Node name = value(args[0], depth + 1);
    if (name.kind() == Node::Kind::text) layout = name.as_text();
    parts = &elements(args[1]);
  }
  const bool is_coo = layout == "torch.sparse_coo";
  const std::size_t tensors = is_coo ? 2 : 3;
  if (parts->size() <= tensors) damaged("has a sparse tensor with too few facts");
  SparseParts sparse;
  sparse.layout = layout;
  sparse.file = label();
  Opaque kept{layout, {}};
  bool is_complete = true;
  constexpr const char* kCoo[] = {"indices", "values"};
  constexpr const char* kCompressed[] = {"compressed", "plain", "values"};
  for (std::size_t i = 0; i < tensors; ++i) {
    Node part = value((*parts)[i], depth + 1);
    is_complete = is_complete && part.kind() == Node::Kind::tensor;
    if (part.kind() == Node::Kind::tensor) sparse.tensors.push_back(part.as_tensor());
    kept.parts.emplace_back(is_coo ? kCoo[i] : kCompressed[i], std::move(part));
  }
  sparse.shape = integers((*parts)[tensors]);
  if (!is_complete) return Node(std::move(kept));
  if (auto dense = densified(sparse, options_.largest_dense_bytes)) return Node(std::move(*dense));
  warn("contains a tensor of the layout " + quoted_name(layout) +
       " that is too large or of too unusual a shape to be made dense");
  return Node(std::move(kept));
}

// (dtype, size, stride, requires_grad): a tensor of the device "meta".
Node TorchObjects::without_data(const Ids& args, int depth) {
  warn("contains a tensor without data (it was saved from the device 'meta')");
  Opaque kept{kTensorWithoutData, {}};
  if (args.size() > 1) kept.parts.emplace_back("args", value(args[1], depth + 1));
  return Node(std::move(kept));
}

// (function, class, arguments, state): the function's result in a subclass of torch.Tensor.
Node TorchObjects::from_type(const Ids& args, int depth) {
  if (args.size() < 3) damaged("has a tensor with too few facts");
  PickleObject inner;
  inner.kind = Kind::call;
  inner.callable = args[0];
  inner.args = args[2];
  return call(inner, depth + 1);
}

}  // namespace vissl::host
