#include "host/runtime/log/run_log.hpp"

#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "host/files/atomic_file.hpp"
#include "host/files/csv_file.hpp"
#include "host/files/error.hpp"
#include "host/files/event_file.hpp"
#include "host/files/json_lines.hpp"

namespace vissl::host {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr const char* kEventFolder = "tb_logs";

// Python's str(timedelta): "1 day, 2:03:04".
std::string eta_text(double seconds) {
  const auto total = static_cast<long long>(std::max(0.0, seconds));
  const long long days = total / 86400;
  char clock[32];
  std::snprintf(clock, sizeof clock, "%lld:%02lld:%02lld", total / 3600 % 24, total / 60 % 60,
                total % 60);
  if (days == 0) return clock;
  return std::to_string(days) + (days == 1 ? " day, " : " days, ") + clock;
}

double round5(double x) {
  return std::round(x * 1e5) / 1e5;
}

Json one_or_list(const std::vector<double>& values) {
  if (values.size() == 1) return round5(values[0]);
  return values;
}

Json to_json(const LogLine& line) {
  Json out;
  out["Rank"] = line.rank;
  out["ep"] = line.epoch;
  out["iter"] = line.iteration;
  out["lr"] = one_or_list(line.lr);
  out["loss"] = round5(line.loss);
  out["btime(ms)"] = static_cast<std::int64_t>(1000.0 * line.batch_seconds);
  out["eta"] = eta_text(line.eta_seconds);
  out["peak_mem(M)"] = line.peak_memory_mib;
  if (!line.weight_decay.empty()) out["weight_decay"] = one_or_list(line.weight_decay);
  for (const auto& [key, value] : line.extras) out[key] = round5(value);
  if (line.max_iterations >= 0) out["max_iterations"] = line.max_iterations;
  return out;
}

}  // namespace

struct RunLog::Files {
  fs::path dir;
  Mode mode = Mode::fresh;
  std::map<std::string, std::uint64_t> keep;  // bytes of each file at the checkpoint
  std::unique_ptr<JsonLines> steps, metrics;
  std::unique_ptr<CsvFile> csv;
  std::unique_ptr<EventFile> events;
  std::map<std::string, double> summary;

  std::uint64_t kept(const std::string& name) const {
    const auto it = keep.find(name);
    if (it != keep.end()) return it->second;
    return mode == Mode::append ? LineFile::kKeepAll : 0;
  }

  // TensorBoard's files are made at the first value, so that runs without the hook have no folder.
  EventFile& event_file() {
    if (!events) {
      if (mode == Mode::fresh) fs::remove_all(dir / kEventFolder);
      events = std::make_unique<EventFile>(dir / kEventFolder);
    }
    return *events;
  }
};

RunLog::RunLog(const fs::path& dir, Mode mode, const Node* positions)
    : files_(std::make_unique<Files>()) {
  files_->dir = dir;
  files_->mode = mode;
  if (positions != nullptr) {
    for (const auto& [key, bytes] : positions->as_dict().entries()) {
      const std::string name = to_text(key);
      files_->keep[name] = static_cast<std::uint64_t>(bytes.as_int());
      if (!name.starts_with(kEventFolder)) continue;
      const EventPosition position{fs::path(name).filename().string(), files_->keep[name]};
      files_->events = std::make_unique<EventFile>(EventFile::resume(dir / kEventFolder, position));
    }
  }
  const auto lines = [&](const char* name) {
    return std::make_unique<JsonLines>(dir / name, files_->kept(name));
  };
  files_->steps = lines("stdout.json");
  files_->metrics = lines("metrics.json");
  files_->csv = std::make_unique<CsvFile>(
      dir / "metrics.csv",
      std::vector<std::string>{"iteration", "phase_idx", "train_phase_idx", "split", "name",
                               "value"},
      files_->kept("metrics.csv"));
}

RunLog::~RunLog() = default;

std::string RunLog::text(const LogLine& line) {
  std::string out;
  const Json json = to_json(line);
  for (const auto& [key, value] : json.items()) {
    const std::string shown = value.is_string() ? value.get<std::string>() : value.dump();
    out += key == "ep" ? "[ep: " + shown + "] " : key + ": " + shown + "; ";
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

void RunLog::step(const LogLine& line) {
  files_->steps->write(to_json(line));
}

void RunLog::phase(const PhaseMetrics& metrics) {
  nlohmann::json out;  // sorted keys, as VISSL writes them
  out["iteration"] = metrics.iteration;
  out["phase_idx"] = metrics.phase_idx;
  out["train_phase_idx"] = metrics.train_phase_idx;
  const std::string split = metrics.training ? "train" : "test";
  const auto row = [&](const std::string& name, double value) {
    const std::string fields[] = {std::to_string(metrics.iteration),
                                  std::to_string(metrics.phase_idx),
                                  std::to_string(metrics.train_phase_idx),
                                  split,
                                  name,
                                  CsvFile::number(value)};
    files_->csv->write(fields);
  };
  if (!std::isnan(metrics.mean_loss)) row("loss", metrics.mean_loss);
  for (const auto& [name, json] : metrics.meters) {
    const nlohmann::json value = nlohmann::json::parse(json);
    out[name] = value;
    for (const auto& [metric, outputs] : value.items()) {
      if (outputs.is_number()) {
        row(name + "." + metric, outputs.get<double>());
        summary(name + "." + metric, outputs.get<double>());
      }
      if (!outputs.is_object()) continue;
      for (const auto& [output, number] : outputs.items()) {
        if (!number.is_number()) continue;
        row(name + "." + metric + "." + output, number.get<double>());
        summary(name + "." + metric + "." + output, number.get<double>());
      }
    }
  }
  files_->metrics->write(Json(out));
}

void RunLog::scalar(std::string_view tag, double value, std::int64_t step) {
  files_->event_file().scalar(tag, step, value);
}

void RunLog::histogram(std::string_view tag, const at::Tensor& values, std::int64_t step) {
  const at::Tensor flat = values.detach().to(at::kCPU, at::kDouble).flatten().contiguous();
  const double* data = flat.const_data_ptr<double>();
  files_->event_file().histogram(
      tag, step, histogram_of(std::span(data, static_cast<std::size_t>(flat.numel()))));
}

void RunLog::image_png(std::string_view tag, const void* png, std::size_t bytes,
                       std::int64_t step) {
  const auto* p = static_cast<const unsigned char*>(png);
  constexpr std::size_t kHeader = 26;  // signature, then IHDR: width, height, depth, colour type
  if (bytes < kHeader || p[12] != 'I' || p[13] != 'H')
    throw Error(Exit::run_failed, "the image '" + std::string(tag) + "' is no PNG");
  const auto big_endian = [&](std::size_t at) {
    return p[at] << 24 | p[at + 1] << 16 | p[at + 2] << 8 | p[at + 3];
  };
  const int channels = p[25] == 0 ? 1 : p[25] == 6 ? 4 : 3;
  files_->event_file().image(tag, step, {static_cast<const std::byte*>(png), bytes}, big_endian(20),
                             big_endian(16), channels);
}

void RunLog::text_entry(std::string_view tag, std::string_view text, std::int64_t step) {
  files_->event_file().text(tag, step, text);
}

void RunLog::summary(std::string_view key, double value) {
  files_->summary[std::string(key)] = value;
}

void RunLog::write_summary(bool finished) {
  Json out;
  if (files_->mode == Mode::append) {
    std::ifstream file(files_->dir / "summary.json");
    out = Json::parse(file, nullptr, false);
    if (!out.is_object()) out = Json::object();
  }
  if (files_->mode != Mode::append) out["finished"] = finished;
  for (const auto& [key, value] : files_->summary)
    out[key] = std::isfinite(value) ? Json(value) : Json(nullptr);
  write_text_atomic(files_->dir / "summary.json", out.dump(2) + "\n");
}

Node RunLog::positions() {
  Node out = Node::dict();
  const auto add = [&](const std::string& name, auto& file) {
    file.sync();
    out[name] = static_cast<std::int64_t>(file.size_bytes());
  };
  add("stdout.json", *files_->steps);
  add("metrics.json", *files_->metrics);
  add("metrics.csv", *files_->csv);
  if (files_->events) {
    files_->events->sync();
    const EventPosition position = files_->events->position();
    out[std::string(kEventFolder) + "/" + position.file] =
        static_cast<std::int64_t>(position.bytes);
  }
  return out;
}

}  // namespace vissl::host
