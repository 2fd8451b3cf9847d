#pragma once
// The wire format of protocol buffers, as far as event files need it.
#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace vissl::host {

// Appends fields to one message. Numbers are the field numbers of the .proto file.
class ProtobufWriter {
 public:
  ProtobufWriter& integer(unsigned field, std::int64_t value) {
    varint(field << 3 | 0);
    varint(static_cast<std::uint64_t>(value));
    return *this;
  }
  ProtobufWriter& real(unsigned field, double value) {
    varint(field << 3 | 1);
    fixed(std::bit_cast<std::uint64_t>(value), 8);
    return *this;
  }
  ProtobufWriter& real32(unsigned field, float value) {
    varint(field << 3 | 5);
    fixed(std::bit_cast<std::uint32_t>(value), 4);
    return *this;
  }
  // Text, bytes or a message.
  ProtobufWriter& bytes(unsigned field, std::string_view value) {
    varint(field << 3 | 2);
    varint(value.size());
    data_ += value;
    return *this;
  }
  ProtobufWriter& packed(unsigned field, std::span<const double> values) {
    varint(field << 3 | 2);
    varint(values.size() * 8);
    for (const double v : values) fixed(std::bit_cast<std::uint64_t>(v), 8);
    return *this;
  }
  const std::string& data() const { return data_; }

 private:
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) data_ += static_cast<char>(value | 0x80);
    data_ += static_cast<char>(value);
  }
  void fixed(std::uint64_t value, int size_bytes) {
    for (int i = 0; i < size_bytes; ++i) data_ += static_cast<char>((value >> (8 * i)) & 0xff);
  }

  std::string data_;
};

}  // namespace vissl::host
