#include "host/files/torch_tar_reader.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_map>

#include "host/files/damage.hpp"
#include "host/files/error.hpp"
#include "host/files/pickle_tree.hpp"
#include "host/files/tar_block.hpp"

namespace vissl::host {
namespace {

using Kind = PickleObject::Kind;

constexpr std::array<std::string_view, 4> kMembers = {"sys_info", "pickle", "tensors", "storages"};

// Reads a member from its start to its end; errors name it and the byte inside it.
class Cursor {
 public:
  Cursor(const std::string& file, std::string_view member, std::string_view text,
         bool is_big_endian = false)
      : label_(file + ": " + quoted_name(member)), text_(text), is_big_endian_(is_big_endian) {}

  PickleGraph pickle() {
    PickleGraph graph = read_pickle(text_.substr(at_), label_);
    at_ += graph.source.size();
    return graph;
  }
  std::int64_t number(std::size_t size_bytes) {
    if (left() < size_bytes) damaged("ends inside a number");
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size_bytes; ++i) {
      const std::size_t from = is_big_endian_ ? i : size_bytes - 1 - i;
      value = (value << 8) | static_cast<unsigned char>(text_[at_ + from]);
    }
    at_ += size_bytes;
    const auto unused = static_cast<int>(64 - 8 * size_bytes);
    return static_cast<std::int64_t>(value << unused) >> unused;
  }
  void skip(std::size_t size_bytes) { at_ += size_bytes; }
  std::size_t at() const { return at_; }
  std::size_t left() const { return text_.size() - at_; }
  [[noreturn]] void damaged(const std::string& what) const { throw_damaged(label_, what, at_); }

 private:
  std::string label_;
  std::string_view text_;
  bool is_big_endian_;
  std::size_t at_ = 0;
};

class TorchTar final : public StorageSource {
 public:
  TorchTar(const FileBytes& file, const WeightsReadOptions& options, WeightsFile& out)
      : file_(file), options_(options), out_(out) {}

  void read();
  std::shared_ptr<Storage> storage(const std::string& key, std::uint64_t, DType) override {
    throw_damaged(file_.name, "has no data for the storage " + quoted_name(key));
  }
  const TensorRef* tensor(const std::string& key) override {
    const auto found = tensors_.find(key);
    return found == tensors_.end() ? nullptr : &found->second;
  }

 private:
  struct Stored {
    std::shared_ptr<Storage> storage;
    DType dtype = DType::float32;
    std::uint64_t numel = 0;
    std::int64_t offset = 0;  // of a view into its root
  };

  void find_members();
  std::span<const std::byte> member(std::string_view name) const;
  void read_storages();
  void read_views(Cursor& cursor);
  void read_tensors();
  static std::string key_of(const PickleObject& object);
  static DType dtype_of(const Cursor& cursor, const PickleObject& object, std::string_view ending);

  const FileBytes& file_;
  const WeightsReadOptions& options_;
  WeightsFile& out_;
  std::unordered_map<std::string, std::span<const std::byte>> members_;
  bool is_big_endian_ = false;
  std::unordered_map<std::string, Stored> storages_;
  std::unordered_map<std::string, TensorRef> tensors_;
};

void TorchTar::find_members() {
  constexpr std::size_t kSizeAt = 124;
  constexpr std::size_t kSizeDigits = 12;
  constexpr std::size_t kTypeAt = 156;
  std::uint64_t at = 0;
  while (file_.bytes.size() - at >= kTarBlock && file_.bytes[at] != std::byte{0}) {
    if (!is_tar_header(file_.bytes.subspan(at))) {
      throw_damaged(file_.name, "has a tar header with a wrong checksum", at);
    }
    const std::string_view header = as_text(file_.bytes.subspan(at, kTarBlock));
    std::string name(header.substr(0, std::min<std::size_t>(header.find('\0'), 100)));
    if (name.starts_with("./")) name.erase(0, 2);
    const char type = header[kTypeAt];
    const bool is_folder = type == '5';
    if (!is_folder && std::ranges::find(kMembers, name) == kMembers.end()) {
      throw Error(Exit::bad_data, file_.name + ": is a tar archive with the member " +
                                      quoted_name(name) +
                                      ", not torch's tar format; unpack it and name the file of "
                                      "weights inside");
    }
    std::uint64_t size = 0;
    for (const char c : header.substr(kSizeAt, kSizeDigits)) {
      if (c == '\0' || c == ' ') continue;
      if (c < '0' || c > '7') {
        throw_damaged(file_.name, "has the tar member " + quoted_name(name) + " with a bad size",
                      at + kSizeAt);
      }
      size = size * 8 + static_cast<std::uint64_t>(c - '0');
    }
    if (!is_folder && type != '0' && type != '\0' && type != '7') {
      throw_damaged(file_.name,
                    "has the tar member " + quoted_name(name) + " that is no plain file",
                    at + kTypeAt);
    }
    at += kTarBlock;
    if (size > file_.bytes.size() - at) {
      throw_damaged(file_.name, "ends inside the tar member " + quoted_name(name),
                    file_.bytes.size());
    }
    if (!is_folder && !members_.try_emplace(name, file_.bytes.subspan(at, size)).second) {
      throw_damaged(file_.name, "has two tar members called " + quoted_name(name), at);
    }
    at += std::min<std::uint64_t>((size + kTarBlock - 1) / kTarBlock * kTarBlock,
                                  file_.bytes.size() - at);
  }
}

std::span<const std::byte> TorchTar::member(std::string_view name) const {
  const auto found = members_.find(std::string(name));
  if (found == members_.end()) {
    throw_damaged(file_.name, "has no tar member " + quoted_name(name));
  }
  return found->second;
}

std::string TorchTar::key_of(const PickleObject& object) {
  return object.kind == Kind::integer ? std::to_string(object.integer) : std::string(object.text);
}

// Of "torch.FloatStorage" and "torch.cuda.FloatTensor".
DType TorchTar::dtype_of(const Cursor& cursor, const PickleObject& object,
                         std::string_view ending) {
  for (const std::string_view prefix : {"torch.cuda.", "torch."}) {
    if (!object.text.starts_with(prefix) || !object.text.ends_with(ending)) continue;
    std::string_view name = object.text.substr(prefix.size());
    name.remove_suffix(ending.size());
    if (const auto dtype = dtype_by_storage_class(std::string(name) + "Storage")) return *dtype;
    break;
  }
  cursor.damaged("has the unknown element type " + quoted_name(object.text));
}

// A count, (key, location, class) and numel and data of each, the views into them.
void TorchTar::read_storages() {
  const auto bytes = member("storages");
  Cursor cursor(file_.name, "storages", as_text(bytes), is_big_endian_);
  const PickleGraph count = cursor.pickle();
  for (std::int64_t i = 0; i < count[count.root].integer; ++i) {
    const PickleGraph facts = cursor.pickle();
    const auto& parts = facts[facts.root].elements;
    if (parts.size() != 3) cursor.damaged("has a storage with a bad name");
    Stored stored;
    stored.dtype = dtype_of(cursor, facts[parts[2]], "Storage");
    const std::int64_t numel = cursor.number(8);
    std::uint64_t size = 0;
    if (numel < 0 ||
        __builtin_mul_overflow(static_cast<std::uint64_t>(numel), size_bytes(stored.dtype),
                               &size) ||
        size > cursor.left()) {
      cursor.damaged("has a storage that is longer than its tar member");
    }
    stored.numel = static_cast<std::uint64_t>(numel);
    stored.storage = file_storage(bytes.subspan(cursor.at(), size), file_.keep_alive, stored.dtype,
                                  is_big_endian_);
    cursor.skip(size);
    storages_.insert_or_assign(key_of(facts[parts[0]]), std::move(stored));
  }
  if (cursor.left() > 0) read_views(cursor);
}

// [(key, root, offset, size), ...]
void TorchTar::read_views(Cursor& cursor) {
  const PickleGraph views = cursor.pickle();
  for (const PickleId id : views[views.root].elements) {
    const auto& parts = views[id].elements;
    const auto root = parts.size() == 4 ? storages_.find(key_of(views[parts[1]])) : storages_.end();
    if (root == storages_.end()) cursor.damaged("has a view of no storage");
    Stored view = root->second;
    const std::int64_t offset = views[parts[2]].integer;
    const std::int64_t size = views[parts[3]].integer;
    std::int64_t end = 0;
    if (offset < 0 || size < 0 || __builtin_add_overflow(offset, size, &end) ||
        static_cast<std::uint64_t>(end) > view.numel) {
      cursor.damaged("has a storage view beyond its storage");
    }
    view.offset += offset;
    view.numel = static_cast<std::uint64_t>(size);
    storages_.insert_or_assign(key_of(views[parts[0]]), std::move(view));
  }
}

// A count; of each (key, storage key, class), the number of dimensions, 4 bytes of padding, sizes,
// strides and offset.
void TorchTar::read_tensors() {
  constexpr std::int64_t kMostDimensions = 64;
  Cursor cursor(file_.name, "tensors", as_text(member("tensors")), is_big_endian_);
  const PickleGraph count = cursor.pickle();
  for (std::int64_t i = 0; i < count[count.root].integer; ++i) {
    const PickleGraph facts = cursor.pickle();
    const auto& parts = facts[facts.root].elements;
    const auto stored =
        parts.size() == 3 ? storages_.find(key_of(facts[parts[1]])) : storages_.end();
    if (stored == storages_.end()) cursor.damaged("has a tensor without a storage");
    TensorRef tensor;
    tensor.dtype = dtype_of(cursor, facts[parts[2]], "Tensor");
    if (tensor.dtype != stored->second.dtype) {
      cursor.damaged("has a tensor of another element type than its storage");
    }
    const std::int64_t rank = cursor.number(4);
    cursor.number(4);
    if (rank < 0 || rank > kMostDimensions) {
      cursor.damaged("has a tensor of " + std::to_string(rank) + " dimensions");
    }
    for (std::int64_t d = 0; d < rank; ++d) tensor.shape.push_back(cursor.number(8));
    for (std::int64_t d = 0; d < rank; ++d) tensor.strides.push_back(cursor.number(8));
    tensor.offset = cursor.number(8);
    if (tensor.offset < 0 ||
        __builtin_add_overflow(tensor.offset, stored->second.offset, &tensor.offset)) {
      cursor.damaged("has a tensor with a negative offset");
    }
    tensor.storage = stored->second.storage;
    if (const char* problem = tensor.invalid()) cursor.damaged(std::string("has ") + problem);
    tensors_.insert_or_assign(key_of(facts[parts[0]]), std::move(tensor));
  }
}

void TorchTar::read() {
  out_.format = "torch_tar";
  find_members();
  const PickleGraph system = Cursor(file_.name, "sys_info", as_text(member("sys_info"))).pickle();
  is_big_endian_ = options_.is_big_endian;
  const auto& pairs = system[system.root].pairs;
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
    if (system[pairs[i]].text == "little_endian") {
      is_big_endian_ = system[pairs[i + 1]].integer == 0;
    }
  }
  read_storages();
  read_tensors();
  const PickleGraph graph = Cursor(file_.name, "pickle", as_text(member("pickle"))).pickle();
  TorchObjectOptions objects = object_options(options_, out_);
  objects.keep_alive = file_.keep_alive;
  out_.tree = torch_objects(graph, *this, file_.name, objects);
}

}  // namespace

void read_torch_tar(const FileBytes& file, const WeightsReadOptions& options, WeightsFile& out) {
  TorchTar(file, options, out).read();
}

}  // namespace vissl::host
