#include "host/files/event_records.hpp"

#include "host/files/crc.hpp"

namespace vissl::host {
namespace {

std::string little_endian(std::uint64_t value, int size_bytes) {
  std::string bytes;
  for (int i = 0; i < size_bytes; ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xff);
  return bytes;
}

std::uint64_t number(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = (value << 8) | static_cast<std::uint64_t>(bytes[i]);
  }
  return value;
}

// Reads the step (field 2) and whether there is a file version (field 3). False: no Event.
bool read_event(std::string_view event, EventRecord& record) {
  std::size_t at = 0;
  const auto varint = [&](std::uint64_t& value) {
    value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at >= event.size()) return false;
      const auto byte = static_cast<unsigned char>(event[at++]);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return true;
    }
    return false;
  };
  while (at < event.size()) {
    std::uint64_t key = 0;
    std::uint64_t value = 0;
    if (!varint(key)) return false;
    switch (key & 7) {
      case 0:
        if (!varint(value)) return false;
        if (key >> 3 == 2) record.step = static_cast<std::int64_t>(value);
        break;
      case 1:
        at += 8;
        break;
      case 2:
        if (!varint(value) || value > event.size() - at) return false;
        if (key >> 3 == 3) record.is_header = true;
        at += value;
        break;
      case 5:
        at += 4;
        break;
      default:
        return false;
    }
  }
  return at == event.size();
}

}  // namespace

std::string event_record(std::string_view event) {
  const std::string length = little_endian(event.size(), 8);
  return length + little_endian(masked_crc32c(std::as_bytes(std::span(length))), 4) +
         std::string(event) + little_endian(masked_crc32c(std::as_bytes(std::span(event))), 4);
}

std::optional<EventRecord> EventRecords::next() {
  constexpr std::uint64_t kHead = 12;
  constexpr std::uint64_t kTail = 4;
  const auto rest = file_.subspan(at_);
  if (rest.size() < kHead + kTail) return std::nullopt;
  const std::uint64_t length = number(rest.first(8));
  if (number(rest.subspan(8, 4)) != masked_crc32c(rest.first(8)) ||
      length > rest.size() - kHead - kTail) {
    return std::nullopt;
  }
  const auto data = rest.subspan(kHead, length);
  if (number(rest.subspan(kHead + length, 4)) != masked_crc32c(data)) return std::nullopt;
  EventRecord record;
  record.event = {reinterpret_cast<const char*>(data.data()), data.size()};
  if (!read_event(record.event, record)) return std::nullopt;
  at_ += kHead + length + kTail;
  record.end_bytes = at_;
  return record;
}

}  // namespace vissl::host
