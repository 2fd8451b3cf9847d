#include "host/files/torch_legacy_reader.hpp"

#include <unordered_map>

#include "host/files/damage.hpp"
#include "host/files/error.hpp"
#include "host/files/pickle_tree.hpp"

namespace vissl::host {
namespace {

using Kind = PickleObject::Kind;

struct Place {
  std::uint64_t offset = 0;
  std::uint64_t size_bytes = 0;
};

class TorchLegacy final : public StorageSource {
 public:
  TorchLegacy(const FileBytes& file, bool is_big_endian)
      : file_(file), is_big_endian_(is_big_endian) {}

  Node read(const TorchObjectOptions& options);
  std::shared_ptr<Storage> storage(const std::string& key, std::uint64_t least_bytes,
                                   DType dtype) override;

 private:
  PickleGraph next_pickle();
  void read_system(const PickleGraph& system);
  std::unordered_map<std::string, std::uint64_t> element_sizes(const PickleGraph& objects) const;
  void place_storages(const PickleGraph& keys, const PickleGraph& objects);
  std::uint64_t element_count(const std::string& key);

  const FileBytes& file_;
  std::uint64_t at_ = 0;
  bool is_big_endian_;
  std::unordered_map<std::string, Place> places_;
};

PickleGraph TorchLegacy::next_pickle() {
  PickleGraph graph = read_pickle(as_text(file_.bytes.subspan(at_)), file_.name);
  at_ += graph.source.size();
  return graph;
}

// {"protocol_version": 1001, "little_endian": True, "type_sizes": {...}}
void TorchLegacy::read_system(const PickleGraph& system) {
  const PickleObject& facts = system[system.root];
  for (std::size_t i = 0; i + 1 < facts.pairs.size(); i += 2) {
    const PickleObject& value = system[facts.pairs[i + 1]];
    if (system[facts.pairs[i]].text == "little_endian" && value.kind == Kind::boolean) {
      is_big_endian_ = value.integer == 0;
    }
  }
}

// Bytes per element of every storage that the objects name.
std::unordered_map<std::string, std::uint64_t> TorchLegacy::element_sizes(
    const PickleGraph& objects) const {
  std::unordered_map<std::string, std::uint64_t> sizes;
  for (const PickleObject& object : objects.objects) {
    if (object.kind != Kind::persistent) continue;
    const PickleObject& id = objects[object.args];
    if (id.kind != Kind::tuple || id.elements.size() < 5) continue;
    std::string_view name = objects[id.elements[1]].text;
    for (const std::string_view prefix : {"torch.cuda.", "torch."}) {
      if (!name.starts_with(prefix)) continue;
      name.remove_prefix(prefix.size());
      break;
    }
    const auto dtype = dtype_by_storage_class(name);
    sizes.try_emplace(std::string(objects[id.elements[2]].text), dtype ? size_bytes(*dtype) : 1);
  }
  return sizes;
}

std::uint64_t TorchLegacy::element_count(const std::string& key) {
  constexpr std::uint64_t kCountBytes = 8;
  if (file_.bytes.size() - at_ < kCountBytes) {
    throw_damaged(file_.name, "ends before the storage " + quoted_name(key), file_.bytes.size());
  }
  std::uint64_t count = 0;
  for (std::uint64_t i = 0; i < kCountBytes; ++i) {
    const auto byte =
        static_cast<std::uint64_t>(file_.bytes[at_ + (is_big_endian_ ? i : kCountBytes - 1 - i)]);
    count = (count << 8) | byte;
  }
  at_ += kCountBytes;
  return count;
}

void TorchLegacy::place_storages(const PickleGraph& keys, const PickleGraph& objects) {
  const auto sizes = element_sizes(objects);
  if (keys[keys.root].kind != Kind::list) {
    throw_damaged(file_.name, "has no list of storages", at_);
  }
  for (const PickleId id : keys[keys.root].elements) {
    const std::string key(keys[id].text);
    const auto size = sizes.find(key);
    if (size == sizes.end()) {
      throw_damaged(file_.name, "has the storage " + quoted_name(key) + ", which no tensor uses",
                    at_);
    }
    const std::uint64_t count = element_count(key);
    std::uint64_t bytes = 0;
    const std::uint64_t left = file_.bytes.size() - at_;
    if (__builtin_mul_overflow(count, size->second, &bytes) || bytes > left) {
      throw_damaged(file_.name,
                    "ends inside the storage " + quoted_name(key) + ": it has " +
                        std::to_string(file_.bytes.size()) + " bytes and needs " +
                        std::to_string(count) + " elements of " + std::to_string(size->second) +
                        " bytes from byte " + std::to_string(at_),
                    file_.bytes.size());
    }
    if (!places_.try_emplace(key, Place{at_, bytes}).second) {
      throw_damaged(file_.name, "has two storages called " + quoted_name(key), at_);
    }
    at_ += bytes;
  }
}

std::shared_ptr<Storage> TorchLegacy::storage(const std::string& key, std::uint64_t least_bytes,
                                              DType dtype) {
  const auto found = places_.find(key);
  if (found == places_.end()) {
    throw_damaged(file_.name, "has no data for the storage " + quoted_name(key));
  }
  const Place& place = found->second;
  if (place.size_bytes < least_bytes) {
    throw_damaged(file_.name,
                  "storage " + quoted_name(key) + " has " + std::to_string(place.size_bytes) +
                      " bytes where its tensors need " + std::to_string(least_bytes),
                  place.offset);
  }
  return file_storage(file_.bytes.subspan(place.offset, place.size_bytes), file_.keep_alive, dtype,
                      is_big_endian_);
}

Node TorchLegacy::read(const TorchObjectOptions& options) {
  next_pickle();  // the magic number, by which the file was recognised
  constexpr std::int64_t kProtocol = 1001;
  const PickleGraph protocol = next_pickle();
  if (protocol[protocol.root].integer != kProtocol) {
    throw Error(Exit::bad_data, file_.name + ": has the unknown torch protocol " +
                                    std::to_string(protocol[protocol.root].integer) +
                                    "; save it again with a newer torch");
  }
  read_system(next_pickle());
  const PickleGraph objects = next_pickle();
  const PickleGraph keys = next_pickle();
  place_storages(keys, objects);
  if (at_ < file_.bytes.size() && options.warnings != nullptr) {
    options.warnings->push_back("has " + std::to_string(file_.bytes.size() - at_) +
                                " bytes after its end, which are ignored");
  }
  return torch_objects(objects, *this, file_.name, options);
}

}  // namespace

void read_torch_legacy(const FileBytes& file, const WeightsReadOptions& options, WeightsFile& out) {
  out.format = "torch_legacy";
  TorchObjectOptions objects = object_options(options, out);
  objects.keep_alive = file.keep_alive;
  out.tree = TorchLegacy(file, options.is_big_endian).read(objects);
}

TensorRef read_torch_legacy_storage(const FileBytes& file, const TorchObjectOptions& options) {
  TorchObjectOptions inner = options;
  inner.is_nested = true;
  inner.keep_alive = file.keep_alive;
  const Node tree = TorchLegacy(file, false).read(inner);
  if (tree.kind() != Node::Kind::tensor) {
    throw_damaged(file.name, "has a pickled storage that is none");
  }
  return tree.as_tensor();
}

}  // namespace vissl::host
