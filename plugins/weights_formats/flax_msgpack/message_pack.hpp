#pragma once
// MessagePack, item by item: nothing is kept, nothing is copied, and a count costs no memory.
// Damage is Failure(VISSL_E_DATA).
#include <vissl/weights_format.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace message_pack {

using vissl::WeightsBytes;

enum class Kind { nothing, number, text, bytes, list, map, extension };

// One item, or the beginning of a list or a map.
struct Item {
  Kind kind = Kind::nothing;
  std::int64_t number = -1;  // of an integer that is not negative and fits
  std::uint64_t count = 0;   // items of a list, pairs of a map, bytes of the others
  int extension = 0;
  std::uint64_t begin = 0;  // of the content in the file
};

// Reads the bytes of a file up to `end`, one item after the other.
class Cursor {
 public:
  Cursor(const WeightsBytes& file, std::uint64_t begin, std::uint64_t end)
      : file_(file), at_(begin), end_(end) {}

  std::uint64_t at() const { return at_; }
  bool at_end() const { return at_ == end_; }
  std::string_view text(const Item& item) const { return file_.text(item.begin, item.count); }

  // The next item; what is inside a list or a map follows as items of its own.
  Item next() {
    const unsigned lead = static_cast<unsigned>(unsigned_number(1));
    Item item;
    if (lead <= 0x7f) return number(lead);
    if (lead <= 0x8f) return container(Kind::map, lead & 0x0f);
    if (lead <= 0x9f) return container(Kind::list, lead & 0x0f);
    if (lead <= 0xbf) return content(Kind::text, lead & 0x1f);
    if (lead >= 0xe0) return number(-1);
    switch (lead) {
      case 0xc0:
      case 0xc2:
      case 0xc3:
        return item;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return content(Kind::bytes, unsigned_number(1u << (lead - 0xc4)));
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return extension(unsigned_number(1u << (lead - 0xc7)));
      case 0xca:
      case 0xcb:
        skip(lead == 0xca ? 4 : 8);
        return number(-1);
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xcf: {
        const std::uint64_t value = unsigned_number(1u << (lead - 0xcc));
        return number(value > INT64_MAX ? -1 : static_cast<std::int64_t>(value));
      }
      case 0xd0:
      case 0xd1:
      case 0xd2:
      case 0xd3:
        return signed_number(1u << (lead - 0xd0));
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return extension(1u << (lead - 0xd4));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return content(Kind::text, unsigned_number(1u << (lead - 0xd9)));
      case 0xdc:
      case 0xdd:
        return container(Kind::list, unsigned_number(lead == 0xdc ? 2 : 4));
      case 0xde:
      case 0xdf:
        return container(Kind::map, unsigned_number(lead == 0xde ? 2 : 4));
      default:
        --at_;
        damaged("has a byte that begins no item");
    }
  }

  [[noreturn]] void damaged(const std::string& what) const {
    vissl::fail(VISSL_E_DATA, what + " (byte " + std::to_string(at_) + "); use another copy");
  }

 private:
  void need(std::uint64_t count) const {
    if (count > end_ - at_)
      damaged(end_ == file_.size() ? "ends too early" : "has an array with too short a content");
  }
  void skip(std::uint64_t count) {
    need(count);
    at_ += count;
  }
  // Big-endian, of 1, 2, 4 or 8 bytes.
  std::uint64_t unsigned_number(std::uint64_t bytes) {
    need(bytes);
    std::uint64_t value = 0;
    for (std::uint64_t i = 0; i < bytes; ++i) value = (value << 8) | file_.data()[at_++];
    return value;
  }
  Item signed_number(std::uint64_t bytes) {
    const std::uint64_t value = unsigned_number(bytes);
    const bool is_negative = (value >> (8 * bytes - 1)) != 0;
    return number(is_negative ? -1 : static_cast<std::int64_t>(value));
  }
  static Item number(std::int64_t value) {
    Item item;
    item.kind = Kind::number;
    item.number = value;
    return item;
  }
  Item container(Kind kind, std::uint64_t count) const {
    Item item;
    item.kind = kind;
    item.count = count;
    item.begin = at_;
    return item;
  }
  Item content(Kind kind, std::uint64_t bytes) {
    const Item item = container(kind, bytes);
    skip(bytes);
    return item;
  }
  Item extension(std::uint64_t bytes) {
    const int type = static_cast<int>(unsigned_number(1));
    Item item = content(Kind::extension, bytes);
    item.extension = type;
    return item;
  }

  const WeightsBytes& file_;
  std::uint64_t at_, end_;
};

}  // namespace message_pack
