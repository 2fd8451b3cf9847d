#pragma once
// TensorBoard's event files: scalars, histograms, images and text.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "host/files/append_file.hpp"
#include "host/files/histogram.hpp"

namespace vissl::host {

// Seconds since 1970. Tests give their own.
using WallClock = std::function<double()>;
double wall_clock_now();

// Where an event file stood: what a checkpoint stores of it.
struct EventPosition {
  std::string file;  // name inside the folder; empty: nothing was logged yet
  std::uint64_t bytes = 0;
};

// One file "events.out.tfevents.SECONDS.HOST.PID" per folder, continued by resumed runs. Every
// event reaches the kernel before its function returns. Errors are Error(Exit::run_failed) as in
// atomic_file.hpp.
//
// A TensorBoard that watches the folder while a resume cuts events off must be restarted to see the
// new ones; a run that was saved at its end (exit code 75) loses none and needs no cut.
class EventFile {
 public:
  // Makes the folder if need be, and a new file in it.
  explicit EventFile(const std::filesystem::path& folder, WallClock clock = wall_clock_now);
  // Goes on at `position`: later events of that file are cut off. A file that is gone, shorter or
  // damaged before that place is kept as far as it is good; without one a new file is made.
  static EventFile resume(const std::filesystem::path& folder, const EventPosition& position,
                          WallClock clock = wall_clock_now);
  // Keeps the events whose step is at most `last_step` in every event file of the folder and goes
  // on with the newest. For a resume without a stored position; steps that count different things
  // (iterations, phases) are all compared with the same number.
  static EventFile resume_after(const std::filesystem::path& folder, std::int64_t last_step,
                                WallClock clock = wall_clock_now);

  void scalar(std::string_view tag, std::int64_t step, double value);  // stored as float32
  // False, and nothing written, if there is no finite value.
  bool histogram(std::string_view tag, std::int64_t step, const Histogram& histogram);
  // `png` is a whole PNG file; sizes in pixels; channels 1 (gray), 3 (RGB) or 4 (RGBA).
  void image(std::string_view tag, std::int64_t step, std::span<const std::byte> png, int height,
             int width, int channels);
  void text(std::string_view tag, std::int64_t step, std::string_view markdown);

  // Makes all events so far durable.
  void sync() { file_.sync(); }
  EventPosition position() const;

 private:
  EventFile(AppendFile file, std::uint64_t keep_bytes, WallClock clock);
  void write_summary(std::int64_t step, const std::string& value);
  void write_event(const std::string& event);

  AppendFile file_;
  WallClock clock_;
};

}  // namespace vissl::host
