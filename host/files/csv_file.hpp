#pragma once
// metrics.csv: a header line, then rows.
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/files/line_file.hpp"

namespace vissl::host {

class CsvFile {
 public:
  // Writes the header if the file, after cutting (see LineFile), is empty. A file with another
  // header is Error(Exit::run_failed).
  CsvFile(std::filesystem::path path, std::vector<std::string> columns,
          std::uint64_t keep_bytes = LineFile::kKeepAll);

  // One field per column. Fields with commas, quotes or line breaks are quoted; a line break
  // becomes a space, so that a row is always one line.
  void write(std::span<const std::string> fields);
  void sync() { lines_.sync(); }
  std::uint64_t size_bytes() const { return lines_.size_bytes(); }

  // The shortest text that reads back as the same double; "nan", "inf", "-inf".
  static std::string number(double value);

  // Removes the rows whose integer in `column` is above `last`; see JsonLines::cut_after.
  static void cut_after(const std::filesystem::path& path, std::string_view column,
                        std::int64_t last);

 private:
  std::vector<std::string> columns_;
  LineFile lines_;
};

}  // namespace vissl::host
