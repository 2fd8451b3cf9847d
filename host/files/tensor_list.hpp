#pragma once
// The tensors of a tree by their full names.
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "host/files/node.hpp"

namespace vissl::host {

// Calls `visit` with the dotted path ("state_dict.conv1.weight", positions of lists as numbers; the
// parts of an opaque object by their names) and the tensor, in the tree's order. A tree that is a
// tensor itself has the empty path. Throws Error(Exit::bad_data) beyond a million tensors.
void for_each_tensor(const Node& tree,
                     const std::function<void(const std::string&, const TensorRef&)>& visit);

// Of the elements in row-major order, little-endian; reads them all.
std::string tensor_sha256(const TensorRef& tensor);

// How many objects of each foreign class the tree has; Python's own types
// and names of element types do not count.
std::map<std::string, std::int64_t> foreign_classes(const Node& tree);

// Bytes of the storages that no tensor of the tree shows: a view saves its whole storage.
std::uint64_t unused_bytes(const Node& tree);

}  // namespace vissl::host
