#pragma once
// What the names in a torch pickle mean: turns a pickle's graph into a tree of values and tensors.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "host/files/node.hpp"
#include "host/files/pickle_reader.hpp"

namespace vissl::host {

// Where the bytes of a storage come from: the container around the pickle.
class StorageSource {
 public:
  virtual ~StorageSource() = default;
  // The storage called `key`, at least `least_bytes` long, in this machine's byte order for
  // `dtype`. Called once per key. Throws Error(Exit::bad_data).
  virtual std::shared_ptr<Storage> storage(const std::string& key, std::uint64_t least_bytes,
                                           DType dtype) = 0;
  // The tensor that a persistent id which is plain text or a number names; null if there is none.
  virtual const TensorRef* tensor(const std::string& /*key*/) { return nullptr; }
};

// The class name of the opaque node that a tensor of the device "meta" becomes; its first part is
// the shape.
inline constexpr const char* kTensorWithoutData = "tensor without data";

struct TorchObjectOptions {
  int deepest = 1000;
  // Of the tree. An object that is referred to several times counts, and is copied, each time; 64
  // bytes of text count as one node. A small pickle gets less, text that stands once is free.
  std::uint64_t most_nodes = 4'000'000;
  // Quantised tensors become float32 at first touch; otherwise qint8, quint8 or qint32.
  bool dequantize = false;
  // A sparse tensor that is larger when dense stays an opaque node.
  std::uint64_t largest_dense_bytes = std::uint64_t{16} << 30;
  // Refuse names of functions that would harm a Python reader; otherwise they are warned of.
  bool refuse_suspicious = false;
  // The pickle stands inside another one, as a storage that was pickled without torch.save.
  bool is_nested = false;
  // Keeps the pickle's bytes, so that arrays inside it need no copy; null: they are copied.
  std::shared_ptr<const void> keep_alive;
  std::vector<std::string>* warnings = nullptr;  // sentences are added; null: they are dropped
};

// A fixed table of names has a meaning (OrderedDict, the _rebuild functions of tensors, numpy's
// arrays and scalars, torch.Size, bytes); every other class becomes an opaque node, as does an
// object inside itself. Throws Error(Exit::bad_data) that names `file`.
Node torch_objects(const PickleGraph& graph, StorageSource& source, const std::string& file,
                   const TorchObjectOptions& options = {});

}  // namespace vissl::host
