#include "host/cli/logger.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/basic_file_sink.h>

#include <chrono>
#include <cmath>
#include <ctime>
#include <mutex>

#include "host/cli/json_text.hpp"
#include "host/files/locator_text.hpp"
#include "host/files/printable.hpp"

namespace vissl::host {
namespace {

constexpr double kPlainLineSeconds =
    30.0;  // between two progress lines where nothing can be redrawn
constexpr std::size_t kMostEarlyLines = 200;
constexpr double kRedrawSeconds = 0.1;
constexpr const char* kFilePattern = "%* %Y-%m-%d %H:%M:%S,%e vissl: %v";

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::info:
      break;
  }
  return spdlog::level::info;
}

const char* level_name(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::debug:
      return "debug";
    case spdlog::level::warn:
      return "warning";
    case spdlog::level::err:
      return "error";
    default:
      return "info";
  }
}

// "INFO", "WARNING", as in VISSL's log.txt.
class UpperLevel final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& out) override {
    for (const char* c = level_name(message.level); *c != '\0'; ++c)
      out.push_back(static_cast<char>(*c - 'a' + 'A'));
  }
  std::unique_ptr<spdlog::custom_flag_formatter> clone() const override {
    return std::make_unique<UpperLevel>();
  }
};

std::string utc_time(spdlog::log_clock::time_point time) {
  const auto ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
  const std::time_t seconds = static_cast<std::time_t>(ms / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[40];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
  char fraction[16];
  std::snprintf(fraction, sizeof(fraction), ".%03dZ", static_cast<int>(ms % 1000));
  return std::string(text) + fraction;
}

// stderr. Takes a redrawn progress line away before it writes, and puts it back.
class StderrSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  StderrSink(const Terminal& terminal, LogFormat format) : terminal_(terminal), format_(format) {}

  void show_progress(const std::string& line) {
    const std::lock_guard<std::mutex> lock(mutex_);
    erase_line();
    line_ = line;
    put(line_);
    std::fflush(stderr);
  }
  void end_progress() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!line_.empty()) put("\n");
    line_.clear();
    std::fflush(stderr);
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::string_view text(message.payload.data(), message.payload.size());
    erase_line();
    if (format_ == LogFormat::json)
      put("{\"time\": \"" + utc_time(message.time) + "\", \"level\": \"" +
          level_name(message.level) + "\", \"text\": " + json_quoted(text) + "}\n");
    else
      put(prefix(message.level) + std::string(text) + "\n");
    put(line_);
  }
  void flush_() override { std::fflush(stderr); }

 private:
  std::string prefix(spdlog::level::level_enum level) const {
    switch (level) {
      case spdlog::level::err:
        return terminal_.paint("error:", Style::red) + " ";
      case spdlog::level::warn:
        return terminal_.paint("warning:", Style::yellow) + " ";
      case spdlog::level::debug:
        return terminal_.paint("debug:", Style::dim) + " ";
      default:
        return "";
    }
  }
  void erase_line() {
    if (!line_.empty()) put("\r\x1b[K");
  }
  static void put(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }

  Terminal terminal_;
  LogFormat format_;
  std::string line_;  // the redrawn line that is on the screen
};

double seconds_between(std::chrono::steady_clock::time_point a,
                       std::chrono::steady_clock::time_point b) {
  return std::chrono::duration<double>(b - a).count();
}

}  // namespace

class ConsoleLogger::Impl {
 public:
  Impl(const Terminal& terminal, const LogSettings& settings)
      : terminal_(terminal),
        settings_(settings),
        console_(std::make_shared<StderrSink>(terminal, settings.format)),
        logger_("vissl", console_) {
    console_->set_level(level_of(settings.level));
    logger_.set_level(spdlog::level::debug);
    logger_.flush_on(spdlog::level::debug);
  }

  void log(LogLevel level, std::string_view given) {
    const std::string text = settings_.prefix + printable_lines(without_secrets(given));
    const std::lock_guard<std::mutex> lock(sinks_mutex_);
    if (!has_file_ && early_.size() < kMostEarlyLines) early_.emplace_back(level_of(level), text);
    logger_.log(level_of(level), spdlog::string_view_t(text.data(), text.size()));
  }

  void open_file(const std::string& path, bool append) {
    std::shared_ptr<spdlog::sinks::basic_file_sink_mt> file;
    try {
      file = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path, /*truncate=*/!append);
    } catch (const spdlog::spdlog_ex& error) {
      throw Error(Exit::run_failed, "cannot write the log '" + path + "': " + error.what());
    }
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<UpperLevel>('*').set_pattern(kFilePattern);
    file->set_formatter(std::move(formatter));
    file->set_level(std::min(spdlog::level::info, level_of(settings_.level)));
    const std::lock_guard<std::mutex> lock(sinks_mutex_);
    for (const auto& [level, text] : early_)
      if (file->should_log(level))
        file->log(spdlog::details::log_msg("vissl", level, spdlog::string_view_t(text)));
    early_.clear();
    has_file_ = true;
    logger_.sinks().assign({console_, file});
  }

  void progress(const Progress& p) {
    if (!settings_.progress || settings_.format == LogFormat::json ||
        settings_.level > LogLevel::info)
      return;
    const auto now = std::chrono::steady_clock::now();
    const bool redraw = terminal_.is_terminal();
    const bool last = p.step == p.steps;
    const bool due =
        !shown_ || seconds_between(last_, now) >= (redraw ? kRedrawSeconds : kPlainLineSeconds);
    if (!due && !last) return;
    shown_ = true;
    last_ = now;
    std::string line = progress_text(p);
    if (!redraw) return log(LogLevel::info, line);
    if (columns(line) >= static_cast<std::size_t>(terminal_.width()))
      line.resize(static_cast<std::size_t>(terminal_.width()) - 1);
    console_->show_progress(line);
  }

  void progress_done() {
    shown_ = false;
    console_->end_progress();
  }

 private:
  Terminal terminal_;
  LogSettings settings_;
  std::shared_ptr<StderrSink> console_;
  spdlog::logger logger_;
  std::mutex sinks_mutex_;  // for `early_` and the list of sinks
  bool has_file_ = false;
  std::vector<std::pair<spdlog::level::level_enum, std::string>> early_;  // until there is a file
  bool shown_ = false;
  std::chrono::steady_clock::time_point last_;
};

ConsoleLogger::ConsoleLogger(const Terminal& terminal, const LogSettings& settings)
    : impl_(std::make_unique<Impl>(terminal, settings)) {}
ConsoleLogger::~ConsoleLogger() = default;
void ConsoleLogger::log(LogLevel level, std::string_view text) {
  impl_->log(level, text);
}
void ConsoleLogger::open_file(const std::string& path, bool append) {
  impl_->open_file(path, append);
}
void ConsoleLogger::progress(const Progress& p) {
  impl_->progress(p);
}
void ConsoleLogger::progress_done() {
  impl_->progress_done();
}

std::string duration_text(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "?";
  const long long whole = std::llround(seconds);
  char text[64];
  if (whole >= 86400)
    std::snprintf(text, sizeof(text), "%lldd%02lldh", whole / 86400, whole % 86400 / 3600);
  else if (whole >= 3600)
    std::snprintf(text, sizeof(text), "%lldh%02lldm", whole / 3600, whole % 3600 / 60);
  else if (whole >= 60)
    std::snprintf(text, sizeof(text), "%lldm%02llds", whole / 60, whole % 60);
  else
    std::snprintf(text, sizeof(text), "%llds", whole);
  return text;
}

std::string progress_text(const Progress& p) {
  std::string out = (p.training ? "epoch " : "test after epoch ") + std::to_string(p.epoch) + "/" +
                    std::to_string(p.epochs) + "  step " + std::to_string(p.step) + "/" +
                    std::to_string(p.steps);
  char text[64];
  const auto add = [&](const char* format, double x) {
    if (std::isnan(x)) return;
    std::snprintf(text, sizeof(text), format, x);
    out += text;
  };
  add("  loss %.4g", p.loss);
  add("  lr %.3g", p.lr);
  add("  %.0f img/s", p.images_per_second);
  add("  data %.0f%%", p.data_wait_fraction * 100.0);
  return out + "  eta " + duration_text(p.eta_seconds);
}

}  // namespace vissl::host
