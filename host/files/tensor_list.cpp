#include "host/files/tensor_list.hpp"

#include <algorithm>
#include <unordered_map>

#include "host/files/error.hpp"
#include "host/files/sha256.hpp"

namespace vissl::host {
namespace {

constexpr std::uint64_t kMostTensors = 1'000'000;

class TensorWalk {
 public:
  using Visit = std::function<void(const std::string&, const TensorRef&)>;
  explicit TensorWalk(const Visit& visit) : visit_(visit) {}

  void walk(const Node& node) {
    switch (node.kind()) {
      case Node::Kind::tensor:
        if (++count_ > kMostTensors) {
          throw Error(Exit::bad_data, "the file has more than " + std::to_string(kMostTensors) +
                                          " tensors, which is no file of weights");
        }
        visit_(path_, node.as_tensor());
        return;
      case Node::Kind::list:
      case Node::Kind::tuple:
        for (std::size_t i = 0; i < node.as_items().size(); ++i) {
          step(std::to_string(i), node.as_items()[i]);
        }
        return;
      case Node::Kind::dict:
        for (const Dict::Entry& entry : node.as_dict().entries()) {
          step(to_text(entry.key), entry.value);
        }
        return;
      case Node::Kind::opaque:
        for (const auto& [name, part] : node.as_opaque().parts) step(name, part);
        return;
      default:
        return;
    }
  }

 private:
  void step(const std::string& name, const Node& node) {
    const std::size_t before = path_.size();
    if (depth_++ > 0) path_ += '.';
    path_ += name;
    walk(node);
    path_.resize(before);
    --depth_;
  }

  const Visit& visit_;
  std::string path_;
  int depth_ = 0;
  std::uint64_t count_ = 0;
};

// Python's own types and torch's names of element types.
bool is_plain(const std::string& class_name) {
  constexpr std::string_view kTorch = "torch.";
  return class_name.starts_with("builtins.") ||
         (class_name.starts_with(kTorch) &&
          dtype_by_name(std::string_view(class_name).substr(kTorch.size())).has_value());
}

void count_classes(const Node& node, std::map<std::string, std::int64_t>& counts) {
  switch (node.kind()) {
    case Node::Kind::list:
    case Node::Kind::tuple:
      for (const Node& item : node.as_items()) count_classes(item, counts);
      return;
    case Node::Kind::dict:
      for (const Dict::Entry& entry : node.as_dict().entries()) count_classes(entry.value, counts);
      return;
    case Node::Kind::opaque:
      if (!is_plain(node.as_opaque().class_name)) ++counts[node.as_opaque().class_name];
      for (const auto& part : node.as_opaque().parts) count_classes(part.second, counts);
      return;
    default:
      return;
  }
}

}  // namespace

void for_each_tensor(const Node& tree, const TensorWalk::Visit& visit) {
  TensorWalk(visit).walk(tree);
}

std::string tensor_sha256(const TensorRef& tensor) {
  if (!tensor.is_contiguous() || tensor.dtype == DType::boolean) {
    return sha256_hex(tensor.packed());
  }
  const std::uint64_t unit = size_bytes(tensor.dtype);
  const auto count = static_cast<std::uint64_t>(tensor.numel());
  if (count == 0) return sha256_hex({});
  return sha256_hex(tensor.storage->bytes().subspan(
      static_cast<std::uint64_t>(tensor.offset) * unit, count * unit));
}

std::map<std::string, std::int64_t> foreign_classes(const Node& tree) {
  std::map<std::string, std::int64_t> counts;
  count_classes(tree, counts);
  return counts;
}

std::uint64_t unused_bytes(const Node& tree) {
  std::unordered_map<const Storage*, std::uint64_t> used;
  for_each_tensor(tree, [&used](const std::string&, const TensorRef& tensor) {
    std::uint64_t bytes = 0;
    std::uint64_t& sum = used[tensor.storage.get()];
    if (__builtin_mul_overflow(static_cast<std::uint64_t>(tensor.numel()), size_bytes(tensor.dtype),
                               &bytes) ||
        __builtin_add_overflow(sum, bytes, &sum)) {
      sum = tensor.storage->size_bytes();
    }
    sum = std::min(sum, tensor.storage->size_bytes());
  });
  std::uint64_t unused = 0;
  for (const auto& [storage, bytes] : used) unused += storage->size_bytes() - bytes;
  return unused;
}

}  // namespace vissl::host
