#pragma once
// The value tree that files are read into and written from: what a Python state dict can hold.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "host/files/dtype.hpp"
#include "host/files/storage.hpp"

namespace vissl::host {

class Node;

// Keys of a state dict: text, or int as in an optimizer's `state`.
using Key = std::variant<std::string, std::int64_t>;
std::string to_text(const Key& key);

// A strided view of a storage. Offset and strides count elements; strides are never negative.
struct TensorRef {
  DType dtype = DType::float32;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;
  std::int64_t offset = 0;
  std::shared_ptr<Storage> storage;
  bool requires_grad = false;
  bool is_parameter = false;  // was saved as torch.nn.Parameter

  // Row-major over the whole storage.
  static TensorRef contiguous(DType dtype, std::vector<std::int64_t> shape,
                              std::shared_ptr<Storage> storage);
  std::int64_t numel() const;
  bool is_contiguous() const;
  // Null if every element lies inside the storage, otherwise what is wrong. All arithmetic is
  // checked: a hostile shape cannot overflow it.
  const char* invalid() const;
  // The elements in row-major order, numel() * size_bytes(dtype) bytes; bools as 0 and 1. Throws
  // Error(Exit::bad_data) for a view that repeats its storage to gigabytes, and what a lazy storage
  // throws.
  std::vector<std::byte> packed() const;
};

// Ordered map. Setting a key again keeps its place. Lookup is by hash.
class Dict {
 public:
  struct Entry;

  Dict();
  Dict(const Dict&);
  Dict(Dict&&) noexcept;
  Dict& operator=(const Dict&);
  Dict& operator=(Dict&&) noexcept;
  ~Dict();

  Node& set(Key key, Node value);
  const Node* find(const Key& key) const;
  Node* find(const Key& key);
  std::size_t size() const;
  const std::vector<Entry>& entries() const { return entries_; }
  std::vector<Entry>& entries() { return entries_; }

  bool is_ordered_dict = false;            // collections.OrderedDict rather than dict
  std::shared_ptr<const Node> attributes;  // state of an OrderedDict: {"_metadata": ...}, or null

 private:
  std::vector<Entry> entries_;
  std::unordered_map<Key, std::size_t> index_;
};

struct Bytes {
  std::string data;
  bool operator==(const Bytes&) const = default;
};
struct List {
  std::vector<Node> items;
};
struct Tuple {
  std::vector<Node> items;
};
// An object of a class that the reader does not know: named, never built. `parts` holds what the
// file says about it under "args", "state", "elements" and "items".
struct Opaque {
  std::string class_name;
  std::vector<std::pair<std::string, Node>> parts;
};

class Node {
 public:
  // The order of the variant's alternatives.
  enum class Kind { none, boolean, integer, real, text, bytes, list, tuple, dict, tensor, opaque };

  Node() = default;
  Node(bool value) : value_(value) {}
  Node(std::int64_t value) : value_(value) {}
  Node(int value) : value_(std::int64_t{value}) {}
  Node(double value) : value_(value) {}
  Node(std::string value) : value_(std::move(value)) {}
  Node(std::string_view value) : value_(std::string(value)) {}
  Node(const char* value) : value_(std::string(value)) {}
  Node(Bytes value) : value_(std::move(value)) {}
  Node(List value) : value_(std::move(value)) {}
  Node(Tuple value) : value_(std::move(value)) {}
  Node(Dict value) : value_(std::move(value)) {}
  Node(TensorRef value) : value_(std::move(value)) {}
  Node(Opaque value) : value_(std::move(value)) {}
  static Node dict() { return Node(Dict{}); }
  static Node ordered_dict();
  static Node list() { return Node(List{}); }

  Kind kind() const { return static_cast<Kind>(value_.index()); }
  static const char* name_of(Kind kind);
  bool is_none() const { return kind() == Kind::none; }

  // Each throws Error(Exit::bad_data) that names both kinds if this is another kind. as_real also
  // takes an integer; as_items takes a list or a tuple.
  bool as_bool() const;
  std::int64_t as_int() const;
  double as_real() const;
  const std::string& as_text() const;
  const std::string& as_bytes() const;
  const std::vector<Node>& as_items() const;
  std::vector<Node>& as_items();
  const Dict& as_dict() const;
  Dict& as_dict();
  const TensorRef& as_tensor() const;
  const Opaque& as_opaque() const;
  Opaque& as_opaque();

  // Entry of a dict. `find` gives null when it is absent or this is no dict; `at` throws
  // Error(Exit::bad_data) that lists near keys; `operator[]` makes it, and turns none into a dict.
  const Node* find(const Key& key) const;
  const Node& at(const Key& key) const;
  Node& operator[](const Key& key);
  // Appends to a list; none becomes a list.
  Node& append(Node value);

 private:
  [[noreturn]] void throw_not(const char* wanted) const;

  std::variant<std::monostate, bool, std::int64_t, double, std::string, Bytes, List, Tuple, Dict,
               TensorRef, Opaque>
      value_;
};

struct Dict::Entry {
  Key key;
  Node value;
};

// Same structure and same values: tensors by dtype, shape and elements (not by strides or sharing),
// doubles bit by bit.
bool same_values(const Node& a, const Node& b);

}  // namespace vissl::host
