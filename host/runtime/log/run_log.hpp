#pragma once
// The files that grow during a run, on rank 0: stdout.json, metrics.json, metrics.csv and
// TensorBoard's event file in tb_logs/. A resumed run cuts them back to where they were at its
// checkpoint, so that they equal those of an undisturbed run. [main]
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/files/node.hpp"

namespace vissl::host {

// One logged train step (reference: engine, what is logged).
struct LogLine {
  std::int64_t rank = 0, epoch = 0, iteration = 0;
  std::vector<double> lr, weight_decay;  // distinct values over the groups
  double loss = 0.0;
  double batch_seconds = 0.0;  // mean over the run so far
  double eta_seconds = 0.0;
  std::int64_t peak_memory_mib = -1;                   // of the GPU's tensors; -1 = no GPU
  std::int64_t max_iterations = -1;                    // -1 = not on this line
  std::vector<std::pair<std::string, double>> extras;  // "loss.<name>", "teacher_momentum"
};

// One finished phase.
struct PhaseMetrics {
  std::int64_t iteration = 0, phase_idx = 0, train_phase_idx = 0;
  bool training = false;
  double mean_loss = 0.0;                                   // over the phase's samples; NaN = none
  std::vector<std::pair<std::string, std::string>> meters;  // "train_accuracy_list_meter" -> JSON
};

class RunLog {
 public:
  // fresh: existing files are replaced. resume: everything that was written after the checkpoint's
  // `positions` is cut off. append: an evaluation in the folder of a run adds to its files and to
  // its summary. Throws Error(run_failed) naming the path.
  enum class Mode { fresh, resume, append };
  RunLog(const std::filesystem::path& dir, Mode mode, const Node* positions = nullptr);
  ~RunLog();
  RunLog(const RunLog&) = delete;
  RunLog& operator=(const RunLog&) = delete;

  // VISSL's text line, e.g. "Rank: 0; [ep: 0] iter: 5; lr: 0.03; loss: 6.9; …".
  static std::string text(const LogLine& line);
  void step(const LogLine& line);
  void phase(const PhaseMetrics& metrics);

  void scalar(std::string_view tag, double value, std::int64_t step);
  void histogram(std::string_view tag, const at::Tensor& values, std::int64_t step);
  void image_png(std::string_view tag, const void* png, std::size_t bytes, std::int64_t step);
  void text_entry(std::string_view tag, std::string_view text, std::int64_t step);

  void summary(std::string_view key, double value);
  // Writes summary.json: everything given so far and {"finished": finished}, beside what the file
  // has already in append mode.
  void write_summary(bool finished);
  // Brings everything to disk and says how long each file is: part of a checkpoint.
  Node positions();

 private:
  struct Files;
  std::unique_ptr<Files> files_;
};

}  // namespace vissl::host
