#pragma once
// What the names in a torch pickle mean: turns a pickle's graph into a tree of values and tensors.
#include <cstdint>
#include <memory>
#include <string>

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
};

struct TorchObjectLimits {
  int deepest = 1000;
  // Of the tree. An object that is referred to several times counts, and is copied, each time; 64
  // bytes of text count as one node.
  std::uint64_t most_nodes = 4'000'000;
};

// A fixed table of names has a meaning (OrderedDict, the _rebuild functions of tensors, torch.Size,
// bytes); every other class becomes an opaque node. Throws Error(Exit::bad_data) that names `file`.
Node torch_objects(const PickleGraph& graph, StorageSource& source, const std::string& file,
                   const TorchObjectLimits& limits = {});

}  // namespace vissl::host
