#pragma once
// What the log says of a download now and then.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace vissl::host {

class DownloadProgress {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit DownloadProgress(std::string locator) : locator_(std::move(locator)) {}

  // "LOCATOR: 12.5 MB of 50.0 MB (25 %), 2.5 MB/s", at most every ten seconds; nothing in between.
  // Bytes of an earlier attempt do not count in the rate. `total_bytes` 0 = unknown.
  std::optional<std::string> line(std::uint64_t done_bytes, std::uint64_t total_bytes, Time now);

 private:
  std::string locator_;
  bool started_ = false;
  Time began_, told_;
  std::uint64_t before_ = 0;  // bytes that were there when it began
};

}  // namespace vissl::host
