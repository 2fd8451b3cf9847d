#pragma once
// The log: stderr for people or programs, log.txt of a run folder in VISSL's line format.
#include <memory>
#include <string>
#include <string_view>

#include "host/boundary.hpp"
#include "host/cli/terminal.hpp"

namespace vissl::host {

enum class LogFormat { text, json };

struct LogSettings {
  LogLevel level = LogLevel::info;  // of stderr; the file has info and above
  LogFormat format = LogFormat::text;
  bool progress = true;     // false with --quiet
  std::string prefix = {};  // before every text: "rank 3: "
};

// Text on stderr: information as it is, others as "warning: …", "error: …". JSON on stderr:
// {"time": …, "level": …, "text": …} per line. In the file: "INFO 2024-05-01 12:00:00,123 vissl:
// text", also for what was logged before it was opened. Secrets of addresses become "***"
// (without_secrets), and what could steer a terminal its bytes (printable_lines), whoever wrote the
// text. `log` may be called by any thread, the others by the main thread.
class ConsoleLogger final : public Logger {
 public:
  ConsoleLogger(const Terminal& terminal, const LogSettings& settings);
  ~ConsoleLogger() override;

  void log(LogLevel level, std::string_view text) override;
  void open_file(const std::string& path, bool append) override;
  void progress(const Progress& p) override;
  void progress_done() override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// "epoch 3/100  step 812/2502  loss 3.912  lr 0.298  2431 img/s  data 1%  eta 5h12m".
std::string progress_text(const Progress& p);

// "5h12m", "3m05s", "12s"; "?" for unknown.
std::string duration_text(double seconds);

}  // namespace vissl::host
