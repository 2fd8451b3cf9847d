#pragma once
// The records of an event file: length, its checksum, data, its checksum (TFRecord).
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace vissl::host {

std::string event_record(std::string_view event);

struct EventRecord {
  std::string_view event;       // an encoded tensorflow.Event
  std::int64_t step = 0;        // of that event
  bool is_header = false;       // names the file's version and has no value
  std::uint64_t end_bytes = 0;  // where the record ends in the file
};

// Walks records from the front. next() is empty at the end and at the first broken record.
class EventRecords {
 public:
  explicit EventRecords(std::span<const std::byte> file) : file_(file) {}
  std::optional<EventRecord> next();

 private:
  std::span<const std::byte> file_;
  std::uint64_t at_ = 0;
};

}  // namespace vissl::host
