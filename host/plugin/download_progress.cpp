#include "host/plugin/download_progress.hpp"

#include <cstdio>

namespace vissl::host {
namespace {

constexpr std::chrono::seconds kBetweenLines(10);

std::string megabytes(std::uint64_t bytes, double seconds = 1.0) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) / 1e6 / seconds);
  return text;
}

}  // namespace

std::optional<std::string> DownloadProgress::line(std::uint64_t done_bytes,
                                                  std::uint64_t total_bytes, Time now) {
  if (!started_ || done_bytes < before_) {
    started_ = true;
    began_ = told_ = now;
    before_ = done_bytes;
  }
  if (now - told_ < kBetweenLines) return std::nullopt;
  told_ = now;
  std::string text = locator_ + ": " + megabytes(done_bytes);
  if (total_bytes != 0)
    text += " of " + megabytes(total_bytes) + " (" +
            std::to_string(100 * done_bytes / total_bytes) + " %)";
  const double seconds = std::chrono::duration<double>(now - began_).count();
  return text + ", " + megabytes(done_bytes - before_, seconds) + "/s";
}

}  // namespace vissl::host
