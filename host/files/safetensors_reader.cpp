#include "host/files/safetensors_reader.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "host/files/damage.hpp"
#include "host/files/safetensors_dtypes.hpp"

namespace vissl::host {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kSizeBytes = 8;  // of the number before the header
constexpr std::uint64_t kLargestHeader = 100'000'000;
constexpr std::size_t kMostTensors = 1'000'000;
constexpr std::size_t kLongestName = 4096;
constexpr std::size_t kMostDimensions = 64;

struct Entry {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> offsets;
};

// {"name": {"dtype": text, "shape": [sizes], "data_offsets": [begin, end]},
//  "__metadata__": {text: text}}
// Nothing else is allowed, so the header needs no general tree.
class Header final : public nlohmann::json_sax<Json> {
 public:
  explicit Header(const std::string& file) : file_(file) {}

  std::vector<Entry> entries;
  std::vector<std::pair<std::string, std::string>> metadata;

  bool start_object(std::size_t) override {
    if (is_list_ || depth_ >= 2 || (depth_ == 2 && key_ != 0)) unexpected("an object");
    ++depth_;
    return true;
  }
  bool end_object() override {
    if (depth_ == 2 && !in_metadata_ && found_ != 7) {
      damaged("tensor " + quoted_name(entries.back().name) +
              " has no dtype, shape and data_offsets");
    }
    --depth_;
    in_metadata_ = false;
    return true;
  }
  bool key(std::string& name) override {
    if (depth_ == 1) {
      if (name.size() > kLongestName) damaged("has a tensor with too long a name");
      if (!names_.insert(name).second) damaged("has two tensors called " + quoted_name(name));
      in_metadata_ = name == "__metadata__";
      found_ = 0;
      if (in_metadata_) return true;
      if (entries.size() == kMostTensors) damaged("has too many tensors");
      entries.push_back({std::move(name), {}, {}, {}});
      return true;
    }
    if (in_metadata_) {
      if (!metadata_keys_.insert(name).second) {
        damaged("has two entries " + quoted_name(name) + " in its metadata");
      }
      metadata.emplace_back(std::move(name), "");
      return true;
    }
    key_ = name == "dtype" ? 1 : name == "shape" ? 2 : name == "data_offsets" ? 4 : 0;
    if (key_ == 0 || (found_ & key_) != 0) {
      damaged("tensor " + quoted_name(entries.back().name) + " has the unknown or repeated entry " +
              quoted_name(name));
    }
    found_ |= key_;
    return true;
  }
  bool string(std::string& value) override {
    if (depth_ == 2 && in_metadata_) {
      metadata.back().second = std::move(value);
    } else if (depth_ == 2 && key_ == 1 && !is_list_) {
      entries.back().dtype = std::move(value);
    } else {
      unexpected("text");
    }
    return true;
  }
  bool start_array(std::size_t) override {
    if (depth_ != 2 || in_metadata_ || is_list_ || key_ < 2) unexpected("a list");
    is_list_ = true;
    return true;
  }
  bool end_array() override {
    is_list_ = false;
    if (key_ == 4 && entries.back().offsets.size() != 2) unexpected("a list of another length");
    return true;
  }
  bool number_unsigned(number_unsigned_t value) override {
    constexpr auto kLargest =
        static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max());
    if (!is_list_ || value > kLargest) unexpected("a number");
    auto& list = key_ == 2 ? entries.back().shape : entries.back().offsets;
    if (list.size() == (key_ == 2 ? kMostDimensions : 2)) unexpected("too long a list");
    list.push_back(static_cast<std::int64_t>(value));
    return true;
  }
  bool number_integer(number_integer_t) override { unexpected("a negative number"); }
  bool number_float(number_float_t, const string_t&) override {
    unexpected("a number that is no integer");
  }
  bool null() override { unexpected("null"); }
  bool boolean(bool) override { unexpected("a truth value"); }
  bool binary(binary_t&) override { unexpected("bytes"); }
  bool parse_error(std::size_t position, const std::string&, const Json::exception&) override {
    // The parser counts from 1.
    throw_damaged(file_, "has a header that is not valid JSON",
                  kSizeBytes + std::max<std::size_t>(position, 1) - 1);
  }

 private:
  [[noreturn]] void damaged(const std::string& what) const {
    throw_damaged(file_, what, kSizeBytes);
  }
  [[noreturn]] void unexpected(const std::string& met) const {
    damaged("has " + met + " in its header" +
            (entries.empty() ? "" : " near " + quoted_name(entries.back().name)) +
            ", where the format has none");
  }

  const std::string& file_;
  int depth_ = 0;
  bool in_metadata_ = false;
  bool is_list_ = false;
  int key_ = 0;    // of the value that comes next in a tensor's entry: a bit of found_
  int found_ = 0;  // 1 dtype, 2 shape, 4 data_offsets
  std::unordered_set<std::string> names_;
  std::unordered_set<std::string> metadata_keys_;
};

// The ranges, sorted, follow each other from the buffer's first byte to its last.
void check_tiling(const std::vector<Entry>& entries, std::uint64_t buffer_bytes,
                  const FileBytes& file, std::uint64_t buffer_at) {
  std::vector<const Entry*> order;
  for (const Entry& entry : entries) order.push_back(&entry);
  std::ranges::sort(order, {}, [](const Entry* entry) { return entry->offsets; });
  std::uint64_t at = 0;
  for (const Entry* entry : order) {
    const auto begin = static_cast<std::uint64_t>(entry->offsets[0]);
    const auto end = static_cast<std::uint64_t>(entry->offsets[1]);
    if (end < begin || end > buffer_bytes) {
      throw_damaged(file.name,
                    "tensor " + quoted_name(entry->name) + " ends at byte " + std::to_string(end) +
                        " of a buffer of " + std::to_string(buffer_bytes),
                    buffer_at);
    }
    if (begin != at) {
      throw_damaged(file.name,
                    std::string(begin > at ? "has bytes that belong to no tensor before "
                                           : "has overlapping tensors, one of them ") +
                        quoted_name(entry->name),
                    buffer_at + std::min(at, begin));
    }
    at = end;
  }
  if (at != buffer_bytes) {
    throw_damaged(file.name, "has bytes after its last tensor", buffer_at + at);
  }
}

Node tensor(const Entry& entry, std::span<const std::byte> buffer, const FileBytes& file,
            WeightsFile& out) {
  const auto bytes =
      buffer.subspan(static_cast<std::uint64_t>(entry.offsets[0]),
                     static_cast<std::uint64_t>(entry.offsets[1] - entry.offsets[0]));
  const SafetensorsType* type = safetensors_type(entry.dtype);
  const auto wrong_size = [&] {
    throw_damaged(file.name,
                  "tensor " + quoted_name(entry.name) + " has " + std::to_string(bytes.size()) +
                      " bytes, which do not fit its shape",
                  kSizeBytes);
  };
  if (type == nullptr) {
    out.warnings.push_back("tensor " + quoted_name(entry.name) + " has the unknown element type " +
                           quoted_name(entry.dtype) + " and cannot be used");
    return Node(Opaque{"safetensors." + entry.dtype, {}});
  }
  std::uint64_t bits = type->bits;
  for (const std::int64_t size : entry.shape) {
    if (__builtin_mul_overflow(bits, static_cast<std::uint64_t>(size), &bits)) wrong_size();
  }
  if (bits % 8 != 0 || bits / 8 != bytes.size()) wrong_size();
  if (!type->dtype) {
    out.warnings.push_back("tensor " + quoted_name(entry.name) + " has the element type " +
                           entry.dtype + ", which torch lacks, and cannot be used");
    return Node(Opaque{"safetensors." + entry.dtype, {}});
  }
  std::vector<std::int64_t> shape = entry.shape;
  if (type->bits == 4) {  // torch counts bytes of two elements
    if (shape.empty() || shape.back() % 2 != 0) wrong_size();
    shape.back() /= 2;
  }
  TensorRef tensor = TensorRef::contiguous(*type->dtype, {}, nullptr);
  // A shape with a zero may hold other sizes whose product overflows; no strides are needed then.
  if (std::ranges::find(shape, 0) == shape.end()) {
    tensor = TensorRef::contiguous(*type->dtype, std::move(shape), nullptr);
  } else {
    tensor.strides.assign(shape.size(), 1);
    tensor.shape = std::move(shape);
  }
  tensor.storage = file_storage(bytes, file.keep_alive, *type->dtype, false);
  if (const char* problem = tensor.invalid()) {
    throw_damaged(file.name, std::string("has ") + problem, kSizeBytes);
  }
  return Node(std::move(tensor));
}

}  // namespace

void read_safetensors(const FileBytes& file, WeightsFile& out) {
  if (file.bytes.size() < kSizeBytes) throw_damaged(file.name, "ends inside its header", 0);
  std::uint64_t size = 0;
  for (std::size_t i = kSizeBytes; i-- > 0;) {
    size = (size << 8) | static_cast<std::uint64_t>(file.bytes[i]);
  }
  if (size > kLargestHeader) {
    throw_damaged(file.name,
                  "claims a header of " + std::to_string(size) + " bytes, more than the limit of " +
                      std::to_string(kLargestHeader),
                  0);
  }
  if (size > file.bytes.size() - kSizeBytes) {
    throw_damaged(file.name, "ends inside its header", file.bytes.size());
  }
  const auto text = file.bytes.subspan(kSizeBytes, size);
  const auto* begin = reinterpret_cast<const char*>(text.data());
  if (size == 0 || *begin != '{') throw_damaged(file.name, "has no header", kSizeBytes);
  Header header(file.name);
  Json::sax_parse(begin, begin + size, &header);
  const auto buffer = file.bytes.subspan(kSizeBytes + size);
  check_tiling(header.entries, buffer.size(), file, kSizeBytes + size);
  out.format = "safetensors";
  out.metadata = std::move(header.metadata);
  Dict tensors;
  for (const Entry& entry : header.entries) {
    tensors.set(entry.name, tensor(entry, buffer, file, out));
  }
  out.tree = Node(std::move(tensors));
}

}  // namespace vissl::host
