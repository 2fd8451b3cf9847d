// Flax's files of weights (flax.serialization.to_bytes; "flax_model.msgpack" on the Hugging Face
// hub): MessagePack with maps of text, whose leaves are arrays as extension 1 (scalars of numpy: 3)
// with the content
//   [shape, name of numpy's element type, elements in row-major order]
// An array above 2^30 bytes is a map {"__msgpack_chunked_array__": true, "shape": {"0": n, …},
// "chunks": {"0": array, …}} of flat pieces. Keys are joined by dots; leaves that are no arrays are
// passed over. Elements stay where they are until they are used.
#include <vissl/plugin.hpp>
#include <vissl/weights_format.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "message_pack.hpp"

namespace {

using message_pack::Cursor;
using message_pack::Item;
using message_pack::Kind;

using vissl::WeightsBytes;
using vissl::WeightsTensors;

constexpr int kDeepest = 64;                // levels of maps and lists
constexpr std::size_t kLongestName = 4096;  // bytes
constexpr std::size_t kMostDimensions = 8;
constexpr std::string_view kChunked = "__msgpack_chunked_array__";

struct ElementType {
  std::string_view name;  // numpy's
  vissl_dtype dtype;
  std::uint64_t bytes;
};
// The numbers that abi.h does not name are torch's.
constexpr ElementType kElementTypes[] = {
    {"float32", VISSL_F32, 4}, {"float16", VISSL_F16, 2},   {"bfloat16", VISSL_BF16, 2},
    {"float64", VISSL_F64, 8}, {"int8", VISSL_I8, 1},       {"int16", VISSL_I16, 2},
    {"int32", VISSL_I32, 4},   {"int64", VISSL_I64, 8},     {"uint8", VISSL_U8, 1},
    {"uint16", 27, 2},         {"uint32", 28, 4},           {"uint64", 29, 8},
    {"bool", VISSL_BOOL, 1},   {"complex64", VISSL_C64, 8}, {"complex128", VISSL_C128, 16},
    {"float8_e5m2", 23, 1},    {"float8_e4m3fn", 24, 1},
};

const ElementType* element_type(std::string_view name) {
  for (const ElementType& type : kElementTypes)
    if (type.name == name) return &type;
  return nullptr;
}

bool is_array(const Item& item) {
  constexpr int kArray = 1, kScalar = 3;
  return item.kind == Kind::extension && (item.extension == kArray || item.extension == kScalar);
}

struct Piece {
  std::uint64_t begin, bytes;  // in the file
};

struct Array {
  std::string_view type;  // numpy's name
  std::vector<std::int64_t> shape;
  Piece elements;
};

std::string quoted(std::string_view name) {
  return "'" + std::string(name) + "'";
}

// The content of an extension.
Array array_in(const WeightsBytes& file, const Item& extension, const std::string& name) {
  Cursor content(file, extension.begin, extension.begin + extension.count);
  const auto wrong = [&](const char* what) {
    content.damaged("the tensor " + quoted(name) + " " + what);
  };
  const Item list = content.next();
  if (list.kind != Kind::list || list.count != 3) wrong("is no list of shape, type and elements");
  Array array;
  const Item shape = content.next();
  if (shape.kind != Kind::list) wrong("has no shape");
  if (shape.count > kMostDimensions) wrong("has more than 8 dimensions");
  for (std::uint64_t i = 0; i < shape.count; ++i) {
    const Item size = content.next();
    if (size.kind != Kind::number || size.number < 0) wrong("has a size that is no whole number");
    array.shape.push_back(size.number);
  }
  const Item type = content.next();
  if (type.kind != Kind::text && type.kind != Kind::bytes) wrong("has no element type");
  array.type = content.text(type);
  const Item elements = content.next();
  if (elements.kind != Kind::bytes) wrong("has no elements");
  array.elements = {elements.begin, elements.count};
  return array;
}

// Whether these elements fill that shape; false also for what no file can hold.
bool fills(const std::vector<std::int64_t>& shape, std::uint64_t unit, std::uint64_t bytes) {
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return bytes == 0;
  std::uint64_t needed = unit;
  for (const std::int64_t size : shape)
    if (__builtin_mul_overflow(needed, static_cast<std::uint64_t>(size), &needed)) return false;
  return needed == bytes;
}

// The pieces of a chunked array, which are put together when it is used.
struct File {
  WeightsBytes bytes;
  std::vector<std::vector<Piece>> pieces;  // by the tensor's number; empty for those in the file

  void read(std::uint64_t tensor, void* data, std::uint64_t size) const {
    auto* at = static_cast<char*>(data);
    for (const Piece& piece : pieces.at(static_cast<std::size_t>(tensor))) {
      if (piece.bytes > size) vissl::fail("the pieces do not fit the tensor");
      const std::string_view part = bytes.text(piece.begin, piece.bytes);
      std::copy(part.begin(), part.end(), at);
      at += part.size();
      size -= piece.bytes;
    }
  }
};

// Walks through a file and names its arrays.
class Walk {
 public:
  Walk(const WeightsBytes& file, const WeightsTensors& out)
      : file_(file), out_(out), cursor_(file, 0, file.size()), opened_{file, {}} {}

  File run() {
    std::string name;
    item(name, 0);
    if (!cursor_.at_end()) cursor_.damaged("goes on after its end");
    return std::move(opened_);
  }

 private:
  void item(std::string& name, int depth) {
    if (depth > kDeepest)
      cursor_.damaged("is nested deeper than " + std::to_string(kDeepest) + " levels");
    const Item item = cursor_.next();
    if (is_array(item)) {
      array(name, array_in(file_, item, name));
    } else if (item.kind == Kind::map) {
      map(name, item.count, depth);
    } else if (item.kind == Kind::list) {
      for (std::uint64_t i = 0; i < item.count; ++i) below(name, std::to_string(i), depth);
    }
  }

  void map(std::string& name, std::uint64_t count, int depth) {
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::string inner = key();
      if (i == 0 && inner == kChunked) return chunked(name, count);
      below(name, inner, depth);
    }
  }

  std::string key() {
    const Item key = cursor_.next();
    if (key.kind == Kind::number && key.number >= 0) return std::to_string(key.number);
    if (key.kind != Kind::text) cursor_.damaged("has a key that is no text");
    if (key.count > kLongestName) cursor_.damaged("has a key that is too long");
    return std::string(cursor_.text(key));
  }

  // What stands at `key` of the map or list `name`.
  void below(std::string& name, const std::string& key, int depth) {
    const std::size_t before = name.size();
    name += (name.empty() ? "" : ".") + key;
    if (name.size() > kLongestName) cursor_.damaged("has a name that is too long");
    item(name, depth + 1);
    name.resize(before);
  }

  void array(const std::string& name, const Array& array) {
    const ElementType* type = known(name, array.type);
    if (type == nullptr) return;
    if (!fills(array.shape, type->bytes, array.elements.bytes))
      cursor_.damaged("the tensor " + quoted(name) + " has " +
                      std::to_string(array.elements.bytes) +
                      " bytes, which do not fit its shape and type");
    out_.in_file(name, type->dtype, array.shape, array.elements.begin);
    opened_.pieces.emplace_back();
  }

  // Behind its first key.
  void chunked(const std::string& name, std::uint64_t count) {
    cursor_.next();
    std::vector<std::int64_t> shape;
    std::optional<std::string_view> name_of_type;
    std::vector<Piece> pieces;
    std::uint64_t bytes = 0;
    for (std::uint64_t i = 1; i < count; ++i) {
      const std::string part = key();
      const Item map = cursor_.next();
      if (map.kind != Kind::map || (part != "shape" && part != "chunks"))
        cursor_.damaged("the pieces of " + quoted(name) + " are described in another way");
      for (std::uint64_t k = 0; k < map.count; ++k) {
        if (key() != std::to_string(k))
          cursor_.damaged("the pieces of " + quoted(name) + " are not in their order");
        const Item value = cursor_.next();
        if (part == "shape") {
          if (value.kind != Kind::number || value.number < 0 || shape.size() == kMostDimensions)
            cursor_.damaged("the tensor " + quoted(name) + " has no shape");
          shape.push_back(value.number);
          continue;
        }
        if (!is_array(value)) cursor_.damaged("a piece of " + quoted(name) + " is no array");
        const Array piece = array_in(file_, value, name);
        if (name_of_type.value_or(piece.type) != piece.type)
          cursor_.damaged("the pieces of " + quoted(name) + " have several types");
        name_of_type = piece.type;
        pieces.push_back(piece.elements);
        bytes += piece.elements.bytes;  // no more than the file has
      }
    }
    const ElementType* type = known(name, name_of_type.value_or("nothing"));
    if (type == nullptr) return;
    if (!fills(shape, type->bytes, bytes))
      cursor_.damaged("the pieces of " + quoted(name) + " have " + std::to_string(bytes) +
                      " bytes, which do not fit its shape and type");
    out_.made(name, type->dtype, shape);
    opened_.pieces.push_back(std::move(pieces));
  }

  const ElementType* known(const std::string& name, std::string_view type) {
    const ElementType* found = element_type(type);
    if (found == nullptr)
      out_.warning("leaves out " + quoted(name) + ", which has the element type " +
                   quoted(type.substr(0, 40)) + "; torch has none such");
    return found;
  }

  const WeightsBytes& file_;
  const WeightsTensors& out_;
  Cursor cursor_;
  File opened_;
};

struct FlaxMsgpack {
  // A map whose first array is where its keys lead to; most files have it within their first bytes.
  bool recognise(const WeightsBytes& file) const {
    constexpr int kMostItems = 4096;
    if (file.size() == 0 || !begins_map(file.data()[0])) return false;
    try {
      Cursor cursor(file, 0, file.size());
      if (cursor.next().count == 0) return false;
      bool is_first = true;
      for (int i = 0; i < kMostItems; ++i, is_first = false) {
        const Item item = cursor.next();
        if (is_first && item.kind != Kind::text) return false;
        if (!is_array(item)) continue;
        array_in(file, item, "");
        return true;
      }
    } catch (const vissl::Failure&) {
      // Bytes that are no MessagePack, or that end before the first array.
    }
    return false;
  }

  File open(const WeightsBytes& file, const WeightsTensors& out) const {
    return Walk(file, out).run();
  }

  // {"params": {"w": ones(2), "big": chunks}, "step": 7}
  std::string sample() const {
    using namespace std::string_literals;
    const std::string one = "\0\0\x80\x3f"s, ones = one + one;
    const auto array = [](const std::string& content) {
      return "\xc7"s + static_cast<char>(content.size()) + "\1" + content;
    };
    const std::string pair = array(
        "\x93\x91\2\xa7"
        "float32\xc4\x08"s +
        ones);
    const std::string single = array(
        "\x93\x91\1\xa7"
        "float32\xc4\4"s +
        one);
    return "\x82\xa6"
           "params\x82\xa1w"s +
           pair +
           "\xa3"
           "big\x83\xb9"s +
           std::string(kChunked) +
           "\xc3\xa5"
           "shape\x81\xa1"
           "0\3\xa6"
           "chunks\x82\xa1"
           "0"s +
           pair +
           "\xa1"
           "1"s +
           single +
           "\xa4"
           "step\7"s;
  }

 private:
  static bool begins_map(unsigned char lead) {
    return (lead >= 0x80 && lead <= 0x8f) || lead == 0xde || lead == 0xdf;
  }
};

}  // namespace

VISSL_WEIGHTS_FORMAT(FlaxMsgpack, "flax_msgpack",
                     "Flax's MessagePack files, such as flax_model.msgpack.")
VISSL_PLUGIN("org.vissl.flax_msgpack", "1.0.0")
