#pragma once
// Drives a task through its phases: data, steps, events, logs, checkpoints, signals. [main]
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "host/runtime/checkpoint/run_folder.hpp"
#include "host/runtime/log/run_log.hpp"
#include "host/runtime/train/task.hpp"

namespace vissl::host {

class Trainer {
 public:
  // `folder` and `log` are NULL in a rehearsal (`check`), `log` also on ranks other than 0.
  Trainer(Task& task, RunFolder* folder, RunLog* log);

  // From the task's counters to the end of the run. Returns the exit code: 0, or 75 after a signal
  // (saved). Throws Error.
  int run();
  // The same in pieces, for an engine between the phases: `begin`, `run_some` until it is not
  // VISSL_TRAIN_MORE, `end` (also after an exception), which gives the exit code.
  void begin();
  std::uint32_t run_some(std::int64_t phases);
  int end();
  // Tells the listeners that the run is failing. Call it in a catch block.
  void fail();
  // A few steps and nothing else; returns the seconds of the last one, NaN without a batch.
  double rehearse();

 private:
  using Clock = std::chrono::steady_clock;

  // Returns false when the run has to stop.
  bool run_phase(bool training);
  void begin_phase(bool training);
  std::unique_ptr<Phase> open_phase(bool training);
  void write_views(const Batch& batch);
  void run_step(Phase& phase, Delivery& delivery, std::int64_t batches);
  // `images`: samples of the step's batches, each of which may have several views.
  void after_step(Phase& phase, std::int64_t steps, std::int64_t images, Clock::time_point started);
  void agree();
  void save_if_due();
  void log_step();
  void show_progress(Phase& phase, std::int64_t steps);
  void end_phase();
  bool must_stop(bool training);
  void save(CheckpointKind kind, std::int64_t number);
  LogLine log_line() const;

  Task& task_;
  RunFolder* folder_;
  RunLog* log_;
  std::int64_t log_frequency_, phase_frequency_, iteration_frequency_;
  Counters before_test_;  // what a checkpoint inside a test phase holds
  std::int64_t steps_timed_ = 0;
  double seconds_timed_ = 0.0;
  double images_per_second_ = 0.0;  // smoothed
  Clock::time_point phase_started_;
  std::int64_t saved_iteration_ = -1;
  // Agreed by all ranks at the end of each step.
  int signal_ = 0;
  bool save_wanted_ = false;
  int exit_code_ = 0;
  std::vector<bool> phases_;  // training or test
  std::size_t next_phase_ = 0;
  bool stopped_ = false;
};

}  // namespace vissl::host
