#pragma once
// Log files of whole lines (JSON lines, CSV) that a resumed run cuts back and goes on with.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <string_view>

#include "host/files/append_file.hpp"

namespace vissl::host {

// Appends lines; each reaches the kernel before write_line returns, so that a killed process loses
// none. A torn last line of an earlier process is removed when the file is opened.
//
// A run stores size_bytes() in its checkpoint, after sync(), and gives it back as `keep_bytes` when
// it resumes: the file then holds what the run had logged at that moment and nothing else. Errors
// are Error(Exit::run_failed) as in atomic_file.hpp.
class LineFile {
 public:
  static constexpr std::uint64_t kKeepAll = std::numeric_limits<std::uint64_t>::max();

  // Cuts the file to the last whole line within `keep_bytes`; 0 starts afresh. A file that is
  // shorter, because somebody removed it, is kept as it is.
  explicit LineFile(std::filesystem::path path, std::uint64_t keep_bytes = kKeepAll);

  // `line` has no newline in it.
  void write_line(std::string_view line);
  // Makes all lines so far durable.
  void sync() { file_.sync(); }
  std::uint64_t size_bytes() const { return file_.size_bytes(); }
  const std::filesystem::path& path() const { return file_.path(); }

 private:
  AppendFile file_;
};

// Keeps the lines of `path` for which `keep` is true, in one step; a missing file stays missing.
void filter_lines(const std::filesystem::path& path,
                  const std::function<bool(std::string_view line)>& keep);

}  // namespace vissl::host
