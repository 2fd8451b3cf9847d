#include "host/files/event_file.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <vector>

#include "host/files/atomic_file.hpp"
#include "host/files/event_records.hpp"
#include "host/files/host_name.hpp"
#include "host/files/mapped_file.hpp"
#include "host/files/protobuf_writer.hpp"

namespace vissl::host {
namespace {

constexpr std::string_view kPrefix = "events.out.tfevents.";

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw_write_error(folder, error.value());
}

std::filesystem::path new_name(const std::filesystem::path& folder, double now) {
  // TensorBoard reads a folder's files in the order of their names: the time comes first.
  static std::atomic<unsigned> counter{0};
  std::string seconds = std::to_string(static_cast<std::int64_t>(now));
  if (seconds.size() < 10) seconds.insert(0, 10 - seconds.size(), '0');
  return folder / (std::string(kPrefix) + seconds + "." + host_name() + "." +
                   std::to_string(::getpid()) + "." + std::to_string(counter.fetch_add(1)));
}

std::vector<std::filesystem::path> event_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kPrefix) && !name.ends_with(".partial")) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

// End of the last good record within the first `limit` bytes.
std::uint64_t good_bytes(const std::filesystem::path& path, std::uint64_t limit) {
  const auto file = MappedFile::open(path);
  EventRecords records(file->bytes());
  std::uint64_t end = 0;
  while (const auto record = records.next()) {
    if (record->end_bytes > limit) break;
    end = record->end_bytes;
  }
  return end;
}

// Rewrites the file in one step without the later events and without what is broken.
void cut_after(const std::filesystem::path& path, std::int64_t last_step) {
  std::string kept;
  {
    const auto file = MappedFile::open(path);
    EventRecords records(file->bytes());
    while (const auto record = records.next()) {
      if (record->is_header || record->step <= last_step) kept += event_record(record->event);
    }
    if (kept.size() == file->bytes().size()) return;
  }
  write_text_atomic(path, kept);
}

std::string summary_value(std::string_view tag, unsigned field, const std::string& content) {
  return ProtobufWriter().bytes(1, tag).bytes(field, content).data();
}

}  // namespace

double wall_clock_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

EventFile::EventFile(AppendFile file, std::uint64_t keep_bytes, WallClock clock)
    : file_(std::move(file)), clock_(std::move(clock)) {
  file_.cut(keep_bytes);
  if (keep_bytes == 0) {
    write_event(ProtobufWriter().real(1, clock_()).bytes(3, "brain.Event:2").data());
  }
}

EventFile::EventFile(const std::filesystem::path& folder, WallClock clock)
    : EventFile((make_folder(folder), AppendFile(new_name(folder, clock()))), 0, clock) {}

EventFile EventFile::resume(const std::filesystem::path& folder, const EventPosition& position,
                            WallClock clock) {
  const std::filesystem::path path = folder / std::filesystem::path(position.file).filename();
  if (position.file.empty() || !std::filesystem::exists(path)) return EventFile(folder, clock);
  return EventFile(AppendFile(path), good_bytes(path, position.bytes), std::move(clock));
}

EventFile EventFile::resume_after(const std::filesystem::path& folder, std::int64_t last_step,
                                  WallClock clock) {
  const auto files = event_files(folder);
  for (const auto& file : files) cut_after(file, last_step);
  if (files.empty()) return EventFile(folder, std::move(clock));
  const std::uint64_t size = std::filesystem::file_size(files.back());
  return EventFile(AppendFile(files.back()), size, std::move(clock));
}

void EventFile::write_event(const std::string& event) {
  file_.write(event_record(event));
}

void EventFile::write_summary(std::int64_t step, const std::string& value) {
  const std::string summary = ProtobufWriter().bytes(1, value).data();
  write_event(ProtobufWriter().real(1, clock_()).integer(2, step).bytes(5, summary).data());
}

void EventFile::scalar(std::string_view tag, std::int64_t step, double value) {
  write_summary(step, ProtobufWriter().bytes(1, tag).real32(2, static_cast<float>(value)).data());
}

bool EventFile::histogram(std::string_view tag, std::int64_t step, const Histogram& histogram) {
  if (histogram.limits.empty()) return false;
  ProtobufWriter content;
  content.real(1, histogram.min).real(2, histogram.max).real(3, histogram.count);
  content.real(4, histogram.sum).real(5, histogram.sum_squares);
  content.packed(6, histogram.limits).packed(7, histogram.counts);
  write_summary(step, summary_value(tag, 5, content.data()));
  return true;
}

void EventFile::image(std::string_view tag, std::int64_t step, std::span<const std::byte> png,
                      int height, int width, int channels) {
  const std::string_view bytes(reinterpret_cast<const char*>(png.data()), png.size());
  ProtobufWriter content;
  content.integer(1, height).integer(2, width).integer(3, channels).bytes(4, bytes);
  write_summary(step, summary_value(tag, 4, content.data()));
}

void EventFile::text(std::string_view tag, std::int64_t step, std::string_view markdown) {
  constexpr std::int64_t kString = 7;  // tensorflow.DT_STRING
  const std::string size_one = ProtobufWriter().integer(1, 1).data();
  const std::string shape = ProtobufWriter().bytes(2, size_one).data();
  ProtobufWriter tensor;
  tensor.integer(1, kString).bytes(2, shape).bytes(8, markdown);
  const std::string plugin = ProtobufWriter().bytes(1, "text").data();
  const std::string metadata = ProtobufWriter().bytes(1, plugin).data();
  ProtobufWriter value;
  value.bytes(1, tag).bytes(8, tensor.data()).bytes(9, metadata);
  write_summary(step, value.data());
}

EventPosition EventFile::position() const {
  return {file_.path().filename().string(), file_.size_bytes()};
}

}  // namespace vissl::host
