#pragma once
// Protocol Buffers, field by field: nothing is kept, nothing is copied. Damage is
// Failure(VISSL_E_DATA).
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vissl/weights_format.hpp>

namespace protobuf {

using vissl::WeightsBytes;

struct Range {
  std::uint64_t begin = 0, end = 0;  // in the file
  std::uint64_t size() const { return end - begin; }
};

struct Field {
  std::uint64_t number = 0;
  bool has_content = false;  // text, bytes, a message or packed numbers; else `value`
  std::uint64_t value = 0;
  Range content;  // also of a fixed number
};

// Reads a message, or the packed numbers of a field.
class Cursor {
 public:
  Cursor(const WeightsBytes& file, Range range) : file_(file), at_(range.begin), end_(range.end) {}

  bool at_end() const { return at_ == end_; }

  // `may_be_cut`: a content that is longer than the message ends with it.
  Field next(bool may_be_cut = false) {
    const std::uint64_t tag = varint();
    Field field;
    field.number = tag >> 3;
    if (field.number == 0) damaged("has a field without a number");
    switch (tag & 7) {
      case 0:
        field.value = varint();
        return field;
      case 1:
        field.content = take(8);
        return field;
      case 2: {
        const std::uint64_t length = varint();
        field.has_content = true;
        field.content = take(may_be_cut ? std::min(length, end_ - at_) : length);
        return field;
      }
      case 5:
        field.content = take(4);
        return field;
      default:
        damaged("has a field of an unknown type");
    }
  }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const unsigned byte = file_.data()[take(1).begin];
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    damaged("has a number of more than 64 bits");
  }

  [[noreturn]] void damaged(const std::string& what) const {
    vissl::fail(VISSL_E_DATA, what + " (byte " + std::to_string(at_) + "); use another copy");
  }

 private:
  Range take(std::uint64_t count) {
    if (count > end_ - at_)
      damaged(end_ == file_.size() ? "ends too early"
                                   : "has a field that is longer than the message around it");
    at_ += count;
    return {at_ - count, at_};
  }

  const WeightsBytes& file_;
  std::uint64_t at_, end_;
};

inline std::string_view text(const WeightsBytes& file, Range range) {
  return file.text(range.begin, range.size());
}

}  // namespace protobuf
