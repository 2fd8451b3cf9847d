#include "host/files/line_file.hpp"

#include <algorithm>
#include <stdexcept>

#include "host/files/atomic_file.hpp"
#include "host/files/mapped_file.hpp"

namespace vissl::host {
namespace {

// The end of the last whole line within the first `limit` bytes.
std::uint64_t end_of_lines(const std::filesystem::path& path, std::uint64_t limit) {
  const auto file = MappedFile::open(path);
  const std::string_view text(reinterpret_cast<const char*>(file->bytes().data()),
                              std::min<std::uint64_t>(file->bytes().size(), limit));
  return text.rfind('\n') + 1;  // npos + 1 is 0
}

}  // namespace

LineFile::LineFile(std::filesystem::path path, std::uint64_t keep_bytes) : file_(std::move(path)) {
  file_.cut(end_of_lines(file_.path(), keep_bytes));
}

void LineFile::write_line(std::string_view line) {
  if (line.find('\n') != std::string_view::npos) {
    throw std::logic_error("a line of a log file holds a newline");
  }
  // One write, so that a reader that follows the file sees whole lines.
  file_.write(std::string(line) + '\n');
}

void filter_lines(const std::filesystem::path& path,
                  const std::function<bool(std::string_view line)>& keep) {
  if (!std::filesystem::exists(path)) return;
  std::string kept;
  {
    const auto file = MappedFile::open(path);
    std::string_view rest(reinterpret_cast<const char*>(file->bytes().data()),
                          file->bytes().size());
    for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      if (keep(rest.substr(0, end))) kept += rest.substr(0, end + 1);
      rest.remove_prefix(end + 1);
    }
    if (kept.size() == file->bytes().size()) return;
  }
  write_text_atomic(path, kept);
}

}  // namespace vissl::host
