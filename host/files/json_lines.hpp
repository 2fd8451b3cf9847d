#pragma once
// stdout.json and metrics.json: one JSON object per line, appended.
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "host/files/line_file.hpp"

namespace vissl::host {

class JsonLines {
 public:
  // See LineFile for what is kept.
  explicit JsonLines(std::filesystem::path path, std::uint64_t keep_bytes = LineFile::kKeepAll)
      : lines_(std::move(path), keep_bytes) {}

  // Keys stay in their order. NaN and infinities become null; text that is not UTF-8 is mended.
  void write(const nlohmann::ordered_json& object);
  void sync() { lines_.sync(); }
  std::uint64_t size_bytes() const { return lines_.size_bytes(); }

  // Removes the objects whose integer `key` is above `last`, and broken lines; objects without the
  // key stay. For a resume without a stored size: an object logged after the checkpoint with the
  // same number cannot be told from one before it.
  static void cut_after(const std::filesystem::path& path, const std::string& key,
                        std::int64_t last);

 private:
  LineFile lines_;
};

}  // namespace vissl::host
