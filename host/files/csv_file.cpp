#include "host/files/csv_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <optional>
#include <stdexcept>

#include "host/files/error.hpp"

namespace vissl::host {
namespace {

std::string joined(std::span<const std::string> fields) {
  std::string line;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) line += ',';
    if (fields[i].find_first_of(",\"\r\n") == std::string::npos) {
      line += fields[i];
      continue;
    }
    line += '"';
    for (const char c : fields[i]) {
      if (c == '"') line += '"';
      line += c == '\n' || c == '\r' ? ' ' : c;
    }
    line += '"';
  }
  return line;
}

std::vector<std::string> split(std::string_view line) {
  std::vector<std::string> fields(1);
  bool is_quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"' && is_quoted && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += line[++i];
    } else if (line[i] == '"') {
      is_quoted = !is_quoted;
    } else if (line[i] == ',' && !is_quoted) {
      fields.emplace_back();
    } else {
      fields.back() += line[i];
    }
  }
  return fields;
}

}  // namespace

CsvFile::CsvFile(std::filesystem::path path, std::vector<std::string> columns,
                 std::uint64_t keep_bytes)
    : columns_(std::move(columns)), lines_(std::move(path), keep_bytes) {
  const std::string header = joined(columns_);
  if (lines_.size_bytes() == 0) {
    lines_.write_line(header);
    return;
  }
  std::ifstream in(lines_.path());
  std::string first;
  if (!std::getline(in, first) || first != header) {
    throw Error(Exit::run_failed,
                lines_.path().string() + ": has other columns than this run writes; move it away");
  }
}

void CsvFile::write(std::span<const std::string> fields) {
  if (fields.size() != columns_.size()) {
    throw std::logic_error("a CSV row has another number of fields than there are columns");
  }
  lines_.write_line(joined(fields));
}

std::string CsvFile::number(double value) {
  std::array<char, 32> text;
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), error == std::errc{} ? end : text.data()};
}

void CsvFile::cut_after(const std::filesystem::path& path, std::string_view column,
                        std::int64_t last) {
  std::optional<std::size_t> place;
  bool is_header = true;
  filter_lines(path, [&](std::string_view line) {
    const auto fields = split(line);
    if (is_header) {
      is_header = false;
      const auto found = std::ranges::find(fields, column);
      if (found != fields.end()) place = static_cast<std::size_t>(found - fields.begin());
      return true;
    }
    if (!place || *place >= fields.size()) return true;
    std::int64_t value = 0;
    const std::string& text = fields[*place];
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error != std::errc{} || value <= last;
  });
}

}  // namespace vissl::host
