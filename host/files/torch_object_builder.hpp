#pragma once
// The class behind torch_objects.
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "host/files/torch_objects.hpp"

namespace vissl::host {

// A storage as the pickle names it: ('storage', class, key, location, numel[, view]).
struct StorageName {
  std::string key;
  std::string class_name;
  std::optional<DType> dtype;  // of the storage class; none if it is untyped
  bool is_untyped = false;
  std::uint64_t numel = 0;       // bytes if untyped
  std::int64_t view_offset = 0;  // of a window into the storage, in elements
};

// numpy.dtype("f4") with its state.
struct NumpyType {
  std::optional<DType> dtype;  // none: no plain numbers
  std::string code;            // "f4"
  bool is_big_endian = false;
  bool is_object = false;
};

class TorchObjects {
 public:
  TorchObjects(const PickleGraph& graph, StorageSource& source, const std::string& file,
               const TorchObjectOptions& options)
      : graph_(graph),
        source_(source),
        file_(file),
        options_(options),
        is_open_(graph.objects.size()) {}

  Node read();

 private:
  using Kind = PickleObject::Kind;
  using Ids = std::vector<PickleId>;

  // torch_objects.cpp: values, containers and the table of names.
  [[noreturn]] void damaged(const std::string& what) const;
  std::string label() const;  // the file and what is being read of it
  void warn(std::string sentence) const;
  void spend(std::uint64_t nodes);
  void judge_names() const;
  Node value(PickleId id, int depth);
  Node closed_value(const PickleObject& object, int depth);
  Node value_at(std::string_view key, PickleId id, int depth);
  std::vector<Node> values(const Ids& ids, int depth);
  Node dict(const Ids& pairs, bool is_ordered_dict, int depth);
  bool add_key_text(PickleId id, std::string& out, int depth) const;
  Node call(const PickleObject& object, int depth);
  Node known_call(std::string_view name, const PickleObject& object, int depth, bool& is_known);
  Node ordered_dict(const PickleObject& object, int depth);
  Node counter(const PickleObject& object, int depth);
  Node set(std::string_view name, const Ids& args, int depth);
  Node opaque(const PickleObject& object, int depth);
  Node persistent(const PickleObject& object, int depth);
  std::int64_t integer(PickleId id) const;
  std::vector<std::int64_t> integers(PickleId id) const;
  std::string global_name(PickleId id) const;
  std::string callable_name(PickleId id) const;
  const Ids& arguments(const PickleObject& object) const;
  const Ids& elements(PickleId id) const;  // of a tuple or list, else none

  // torch_tensors.cpp: what torch's own functions rebuild.
  bool is_tensor_class(std::string_view name) const;
  StorageName storage_name(PickleId id) const;
  std::shared_ptr<Storage> storage(const StorageName& name, DType dtype);
  Node flat_storage(PickleId id);
  std::optional<TensorRef> nested_storage(PickleId id);
  Node tensor(std::string_view function, const Ids& args);
  Node placed_tensor(const StorageName& name, DType dtype, const Ids& args);
  Node placed_tensor(TensorRef tensor, const Ids& args);
  Node unknown_type(const std::string& type) const;
  Node resolved(Node tensor, PickleId metadata) const;
  Node parameter(const Ids& args, int depth);
  Node quantized(const Ids& args, int depth);
  Node sparse(std::string_view function, const Ids& args, int depth);
  Node without_data(const Ids& args, int depth);
  Node from_type(const Ids& args, int depth);

  // numpy_objects.cpp
  struct Raw {
    std::string_view bytes;
    bool is_text = false;  // each character is one byte: the latin1 way
  };
  std::optional<Raw> raw_bytes(PickleId id) const;
  Node bytes(const Ids& args) const;
  NumpyType numpy_type(PickleId id) const;
  Node array(const PickleObject& object, int depth);
  Node array_from_buffer(const Ids& args, int depth);
  Node array_of(const NumpyType& type, std::vector<std::int64_t> shape, bool is_fortran,
                const Raw& raw);
  Node scalar(const Ids& args, const PickleObject& object, int depth);

  const PickleGraph& graph_;
  StorageSource& source_;
  const std::string& file_;
  const TorchObjectOptions& options_;
  std::uint64_t nodes_ = 0;
  std::uint64_t most_nodes_ = 0;
  std::string path_;           // of what is being read: "model.conv1.weight"
  std::vector<bool> is_open_;  // objects whose parts are being read
  std::unordered_map<std::string, std::shared_ptr<Storage>> storages_;
  std::unordered_map<const char*, TensorRef> arrays_;  // by where their bytes stand
  std::unordered_map<PickleId, TensorRef> nested_;     // storages pickled whole
};

}  // namespace vissl::host
