#include "host/files/event_file.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "host/files/crc.hpp"
#include "host/files/event_records.hpp"
#include "temp_folder.hpp"

namespace {

using namespace vissl::host;
using vissl::test::read_file;
using vissl::test::TempFolder;
using vissl::test::write_file;

double fixed_clock() {
  return 1000.5;
}

// A PNG of one white pixel.
constexpr std::array<unsigned char, 67> kPng = {
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48,
    0x44, 0x52, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00,
    0x00, 0x3a, 0x7e, 0x9b, 0x55, 0x00, 0x00, 0x00, 0x0a, 0x49, 0x44, 0x41, 0x54, 0x78,
    0x9c, 0x63, 0xf8, 0x0f, 0x00, 0x01, 0x01, 0x01, 0x00, 0xb1, 0x38, 0xf6, 0x14, 0x00,
    0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82};

// What scripts/oracle/check_events.py expects in tests/golden/events/.
void log_steps(EventFile& events, int from, int to) {
  for (int step = from; step < to; ++step) {
    events.scalar("Training/Loss", step, 1.0 / (1 + step));
    if (step % 2 == 0) events.text("note", step, "step " + std::to_string(step));
  }
}

void log_rest(EventFile& events) {
  const std::vector<float> values = {-2.0f, 0.0f, 1e-13f, 0.5f, 0.5f, 3.0f};
  events.histogram("Parameters/weight", -1, histogram_of(values));
  events.image("views", 4, std::as_bytes(std::span(kPng)), 1, 1, 1);
}

std::string only_file(const TempFolder& folder) {
  std::string content;
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    content = read_file(entry.path());
    ++count;
  }
  CHECK(count == 1);
  return content;
}

}  // namespace

TEST_CASE("crc: the check values of both polynomials are met") {
  const std::string digits = "123456789";
  CHECK(crc32(std::as_bytes(std::span(digits))) == 0xcbf43926);
  const std::uint32_t crc32c = 0xe3069283;
  CHECK(masked_crc32c(std::as_bytes(std::span(digits))) ==
        ((crc32c >> 15) | (crc32c << 17)) + 0xa282ead8);
}

TEST_CASE("event file: the bytes equal those that TensorBoard was seen to read") {
  TempFolder folder;
  EventFile events(folder.path(), fixed_clock);
  log_steps(events, 0, 5);
  log_rest(events);
  const std::string golden = read_file(std::string(VISSL_SOURCE_DIR) +
                                       "/tests/golden/events/events.out.tfevents.1000.golden");
  const bool is_equal = only_file(folder) == golden;
  if (!is_equal) write_file("events.out.tfevents.1000.golden", only_file(folder));
  CHECK(is_equal);
}

TEST_CASE("event file: a run resumed at its stored position writes the undisturbed run's bytes") {
  TempFolder undisturbed;
  {
    EventFile events(undisturbed.path(), fixed_clock);
    log_steps(events, 0, 9);
  }
  TempFolder folder;
  EventPosition position;
  {
    EventFile events(folder.path(), fixed_clock);
    log_steps(events, 0, 4);
    events.sync();
    position = events.position();
    log_steps(events, 4, 7);  // lost with the process
  }
  EventFile events = EventFile::resume(folder.path(), position, fixed_clock);
  log_steps(events, 4, 9);
  CHECK(only_file(folder) == only_file(undisturbed));
  CHECK(events.position().bytes == only_file(folder).size());
}

TEST_CASE("event file: without a position events are cut by their step") {
  TempFolder undisturbed;
  {
    EventFile events(undisturbed.path(), fixed_clock);
    log_steps(events, 0, 6);
  }
  TempFolder folder;
  {
    EventFile events(folder.path(), fixed_clock);
    log_steps(events, 0, 5);
  }
  EventFile events = EventFile::resume_after(folder.path(), 2, fixed_clock);
  log_steps(events, 3, 6);
  CHECK(only_file(folder) == only_file(undisturbed));
}

TEST_CASE("event file: a fresh start cuts everything, and a lost file is made anew") {
  TempFolder folder;
  {
    EventFile events(folder.path(), fixed_clock);
    log_steps(events, 0, 5);
  }
  {
    EventFile events = EventFile::resume_after(
        folder.path(), std::numeric_limits<std::int64_t>::min(), fixed_clock);
  }
  const std::string header = only_file(folder);
  CHECK(header.find("brain.Event:2") != std::string::npos);
  CHECK(header.size() < 60);
  TempFolder other;
  {
    EventFile events = EventFile::resume(other.path() / "tb_logs", {"gone", 99}, fixed_clock);
    log_steps(events, 0, 1);
    CHECK(events.position().bytes > header.size());
  }
}

TEST_CASE("event file: a torn or damaged tail is dropped at the last good event") {
  TempFolder folder;
  EventPosition position;
  {
    EventFile events(folder.path(), fixed_clock);
    log_steps(events, 0, 3);
    position = events.position();
  }
  const std::string whole = only_file(folder);
  const auto path = folder / position.file;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write_file(path, whole.substr(0, size));
    const EventFile events = EventFile::resume(folder.path(), position, fixed_clock);
    CHECK(whole.starts_with(read_file(path)));
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 4);
    write_file(path, changed);
    const EventFile events = EventFile::resume(folder.path(), position, fixed_clock);
    CHECK(read_file(path).size() < whole.size());
    CHECK(whole.starts_with(read_file(path)));
  }
}

TEST_CASE("histogram: values are counted in TensorBoard's bins, and what is not finite is not") {
  const std::vector<double> values = {0.5, 0.5, 3.0, std::nan(""), 1.0 / 0.0};
  const Histogram histogram = histogram_of(values);
  CHECK(histogram.count == 3);
  CHECK(histogram.min == 0.5);
  CHECK(histogram.max == 3.0);
  CHECK(histogram.sum == 4.0);
  CHECK(histogram.sum_squares == 9.5);
  REQUIRE(histogram.limits.size() == histogram.counts.size());
  CHECK(histogram.counts.front() == 0);
  CHECK(histogram.counts[1] == 2);
  CHECK(histogram.counts.back() == 1);
  CHECK(histogram.limits.front() <= 0.5);
  CHECK(histogram.limits[1] > 0.5);
  CHECK(histogram_of(std::vector<float>{}).limits.empty());

  TempFolder folder;
  EventFile events(folder.path(), fixed_clock);
  CHECK(!events.histogram("empty", 0, Histogram{}));
}
