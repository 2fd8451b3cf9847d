#include "host/runtime/train/trainer.hpp"

#include <ATen/ops/from_blob.h>
#include <torch/csrc/autograd/grad_mode.h>

#include <array>
#include <cmath>
#include <csignal>
#include <limits>
#include <utility>

#include "host/runtime/dist/collectives.hpp"

namespace vissl::host {

namespace {

std::int64_t most_of_all_ranks(std::int64_t count) {
  at::Tensor most = at::from_blob(&count, {1}, at::kLong);
  collectives().all_reduce(most, Collectives::Reduce::max);
  return count;
}

}  // namespace

Trainer::Trainer(Task& task, RunFolder* folder, RunLog* log)
    : task_(task), folder_(folder), log_(log) {
  const Setting& c = task.config();
  log_frequency_ = std::max<std::int64_t>(1, c.integer("log_frequency"));
  phase_frequency_ = c.integer("checkpoint.frequency");
  iteration_frequency_ = c.integer("checkpoint.iter_frequency");
  task_.run_log = log;
}

int Trainer::run() {
  try {
    begin();
    run_some(0);
    return end();
  } catch (...) {
    fail();
    throw;
  }
}

void Trainer::begin() {
  Logger& out = task_.log();
  const Counters& c = task_.counters;
  if (!task_.has_train()) {
    out.log(LogLevel::info, "testing " + std::to_string(task_.facts().test_length) + " samples");
  } else if (c.phase_idx < 0) {
    out.log(LogLevel::info, "training " + std::to_string(task_.epochs()) + " epochs of " +
                                std::to_string(task_.facts().iterations_per_epoch) +
                                " iterations, " + std::to_string(task_.facts().train_length) +
                                " samples each; " + task_.optimizer().summary());
  } else {
    out.log(LogLevel::info, "resuming at iteration " + std::to_string(c.iteration) + " of " +
                                std::to_string(c.max_iteration) + " (epoch " +
                                std::to_string(c.train_phase_idx) + ", step " +
                                std::to_string(c.phase_batch) + " of " +
                                std::to_string(task_.facts().iterations_per_epoch) +
                                (task_.phase_done ? ", epoch complete)" : ")"));
  }
  phases_ = phase_list(task_.epochs(),
                       std::max<std::int64_t>(1, task_.config().integer("test_every_num_epoch")),
                       task_.has_train(), task_.has_test());
  next_phase_ = static_cast<std::size_t>(c.phase_idx + (task_.phase_done ? 1 : 0));
  task_.fire(VISSL_EVENT_START);
}

void Trainer::fail() {
  task_.log().progress_done();
  task_.fire(VISSL_EVENT_EXCEPTION);
  try {
    if (log_ != nullptr) log_->positions();
  } catch (const Error& error) {
    task_.log().log(LogLevel::warning, error.what());  // the first error is the one to report
  }
}

std::uint32_t Trainer::run_some(std::int64_t phases) {
  for (std::int64_t done = 0; next_phase_ < phases_.size() && !stopped_; ++done) {
    if (phases > 0 && done == phases) return VISSL_TRAIN_MORE;
    stopped_ = !run_phase(phases_[next_phase_++]);
  }
  return stopped_ ? VISSL_TRAIN_STOP : VISSL_TRAIN_DONE;
}

int Trainer::end() {
  task_.log().progress_done();
  if (stopped_ || next_phase_ < phases_.size()) {
    if (log_ != nullptr) log_->write_summary(false);
    return exit_code_;
  }
  task_.fire(VISSL_EVENT_END);
  if (log_ != nullptr) {
    if (task_.train_seconds > 0.0) {
      log_->summary("train_seconds", task_.train_seconds);
      log_->summary("img_per_s", static_cast<double>(task_.train_images) / task_.train_seconds);
    }
    log_->summary("iterations", static_cast<double>(task_.counters.iteration));
    log_->positions();
    log_->write_summary(true);
  }
  return 0;
}

void Trainer::begin_phase(bool training) {
  Counters& c = task_.counters;
  if (!training) before_test_ = c;
  ++c.phase_idx;
  if (training) ++c.train_phase_idx;
  ++c.local_iteration;
  c.training = training;
  c.phase_batch = 0;
  task_.phase_done = false;
  task_.phase_samples = 0;
  task_.losses.clear();
  task_.meters().reset();
  if (training) task_.schedules().update_epoch(c);
  task_.fire(VISSL_EVENT_PHASE_START);
}

std::unique_ptr<Phase> Trainer::open_phase(bool training) {
  const Counters& c = task_.counters;
  PhaseSpec spec;
  spec.split = training ? "train" : "test";
  spec.epoch = c.phase_idx;
  spec.train_phase = c.train_phase_idx;
  spec.start_batch = c.phase_batch * task_.batches_per_step(training);
  spec.training = training;
  spec.each_once =
      !training && task_.tests_alone() && task_.config().string("data.test.sampling") != "vissl";
  spec.rank = task_.facts().rank;
  spec.world = task_.facts().world;
  return task_.data().open(spec, task_.batch_memory());
}

bool Trainer::run_phase(bool training) {
  if (task_.phase_done) begin_phase(training);
  phase_started_ = Clock::now();
  const std::unique_ptr<Phase> phase = open_phase(training);
  const std::int64_t batches = phase->batch_count();
  const std::int64_t per_step = task_.batches_per_step(training);
  const std::int64_t steps = (batches + per_step - 1) / per_step;
  const std::int64_t first_step = task_.counters.phase_batch;
  // Ranks may have different numbers of test batches; they stop together all the same.
  const std::int64_t rounds = most_of_all_ranks(steps);
  if (!training) task_.share_buffers();
  Delivery delivery(*phase, task_.upload());
  for (std::int64_t round = first_step; round < rounds; ++round) {
    if (task_.counters.phase_batch < steps) run_step(*phase, delivery, batches);
    // The last step of a phase belongs to the end of the phase, which needs what the step left
    // (gradients, for one).
    if (round + 1 == rounds) break;
    agree();
    save_if_due();
    if (must_stop(training)) return false;
  }
  if (task_.counters.phase_batch < steps) {
    throw Error(Exit::run_failed, "the data of this phase ended after " +
                                      std::to_string(task_.counters.phase_batch) + " of " +
                                      std::to_string(steps) + " steps (began at " +
                                      std::to_string(first_step) + ")");
  }
  end_phase();
  return !must_stop(training);
}

// One step of up to accumulate_batches batches; less when the data ends early, which run_phase
// reports.
void Trainer::run_step(Phase& phase, Delivery& delivery, std::int64_t batches) {
  const Counters& c = task_.counters;
  const Clock::time_point started = Clock::now();
  const std::int64_t per_step = task_.batches_per_step(c.training);
  StepPart part;
  part.count = std::min(per_step, batches - c.phase_batch * per_step);
  std::int64_t images = 0;
  for (; part.number < part.count; ++part.number) {
    const std::shared_ptr<Batch> batch = delivery.next();
    if (!batch) return;
    if (c.iteration == 0 && c.training && part.first()) write_views(*batch);
    task_.step(batch, part);
    images += batch->samples;
  }
  after_step(phase, (batches + per_step - 1) / per_step, images, started);
}

void Trainer::write_views(const Batch& batch) {
  if (folder_ == nullptr || task_.facts().rank != 0) return;
  try {
    write_text_atomic(folder_->path() / "views.png", task_.data().sheet_png("train", batch));
  } catch (const Error& error) {
    task_.log().log(LogLevel::warning, std::string("no views.png: ") + error.what());
  }
}

void Trainer::after_step(Phase& phase, std::int64_t steps, std::int64_t images,
                         Clock::time_point started) {
  Counters& c = task_.counters;
  const double seconds = std::chrono::duration<double>(Clock::now() - started).count();
  seconds_timed_ += seconds;
  ++steps_timed_;
  const double speed = static_cast<double>(images * task_.facts().world) / std::max(seconds, 1e-9);
  images_per_second_ = images_per_second_ == 0.0 ? speed : 0.9 * images_per_second_ + 0.1 * speed;
  task_.losses.push_back(task_.current.mean_loss * static_cast<double>(task_.current.samples));
  task_.phase_samples += task_.current.samples;
  if (c.training) {
    task_.train_seconds += seconds;
    task_.train_images += images * task_.facts().world;
    log_step();
    ++c.iteration;
  }
  ++c.local_iteration;
  ++c.phase_batch;
  show_progress(phase, steps);
  task_.fire(VISSL_EVENT_STEP);
}

// What one rank wants, all do in the same step.
void Trainer::agree() {
  const auto& stop = task_.stop_requested;
  std::array<std::int64_t, 3> wishes{task_.session().services().pending_signal(),
                                     stop ? stop->first + 1 : 0,
                                     std::exchange(task_.save_requested, false) ? 1 : 0};
  at::Tensor all =
      at::from_blob(wishes.data(), {static_cast<std::int64_t>(wishes.size())}, at::kLong);
  collectives().all_reduce(all, Collectives::Reduce::max);
  signal_ = static_cast<int>(wishes[0]);
  if (wishes[1] != 0 && !stop)
    task_.stop_requested = {static_cast<int>(wishes[1]) - 1, "another rank asked for it"};
  save_wanted_ = wishes[2] != 0;
}

void Trainer::save_if_due() {
  const Counters& c = task_.counters;
  const bool wanted = std::exchange(save_wanted_, false) ||
                      (iteration_frequency_ > 0 && c.iteration % iteration_frequency_ == 0);
  if (c.training && wanted && saved_iteration_ != c.iteration)
    save(CheckpointKind::iteration, c.iteration);
}

LogLine Trainer::log_line() const {
  const Counters& c = task_.counters;
  LogLine line;
  line.rank = task_.facts().rank;
  line.epoch = c.train_phase_idx;
  line.iteration = c.iteration;
  line.lr = task_.optimizer().values("lr", task_.schedules());
  line.weight_decay = task_.optimizer().values("weight_decay", task_.schedules());
  line.loss = task_.current.mean_loss;
  line.batch_seconds =
      seconds_timed_ / static_cast<double>(std::max<std::int64_t>(1, steps_timed_));
  line.eta_seconds = line.batch_seconds * static_cast<double>(c.max_iteration - c.iteration);
  line.peak_memory_mib = task_.session().peak_memory_mib();
  if (c.iteration <= 1) line.max_iterations = c.max_iteration;
  line.extras = task_.current.loss_values;
  line.extras.insert(line.extras.end(), task_.current.extras.begin(), task_.current.extras.end());
  return line;
}

void Trainer::log_step() {
  const std::int64_t i = task_.counters.iteration;
  if (i != 1 && i % log_frequency_ != 0 && !(i <= 100 && i % 5 == 0)) return;
  const LogLine line = log_line();
  if (log_ != nullptr) log_->step(line);
  task_.log().log(LogLevel::debug, RunLog::text(line));
}

void Trainer::show_progress(Phase& phase, std::int64_t steps) {
  const Counters& c = task_.counters;
  const double elapsed = std::chrono::duration<double>(Clock::now() - phase_started_).count();
  const double mean = seconds_timed_ / static_cast<double>(std::max<std::int64_t>(1, steps_timed_));
  const std::vector<double> lr =
      c.training ? task_.optimizer().values("lr", task_.schedules()) : std::vector<double>();
  Progress p{};
  p.epoch = std::max<std::int64_t>(c.train_phase_idx, 0) + 1;
  p.epochs = task_.epochs();
  p.step = c.phase_batch;
  p.steps = steps;
  p.training = c.training;
  p.loss = task_.current.mean_loss;
  p.lr = !lr.empty() ? lr.front() : std::numeric_limits<double>::quiet_NaN();
  p.images_per_second = images_per_second_;
  p.data_wait_fraction = elapsed > 0.0 ? std::min(1.0, phase.wait_seconds() / elapsed) : 0.0;
  p.eta_seconds = mean * static_cast<double>(c.training ? c.max_iteration - c.iteration
                                                        : steps - c.phase_batch);
  task_.log().progress(p);
}

void Trainer::end_phase() {
  Counters& c = task_.counters;
  task_.log().progress_done();
  task_.meters().reduce();
  task_.phase_ending = true;
  task_.phase_metrics.clear();
  task_.fire(VISSL_EVENT_PHASE_END);
  task_.phase_ending = false;
  PhaseMetrics metrics;
  metrics.iteration = c.iteration;
  metrics.phase_idx = c.phase_idx;
  metrics.train_phase_idx = c.train_phase_idx;
  metrics.training = c.training;
  std::array<double, 2> sums{0.0, static_cast<double>(task_.phase_samples)};
  for (const double loss : task_.losses) sums[0] += loss;
  at::Tensor all =
      at::from_blob(sums.data(), {static_cast<std::int64_t>(sums.size())}, at::kDouble);
  if (!c.training) collectives().all_reduce(all, Collectives::Reduce::sum);
  metrics.mean_loss = sums[1] > 0.0 ? sums[0] / sums[1] : std::nan("");
  std::string shown;
  if (!c.training || task_.config().boolean("metering.enable_training_meter")) {
    for (const Meters::Value& value : task_.meters().values()) {
      metrics.meters.emplace_back((c.training ? "train_" : "test_") + value.name, value.json);
      shown += "  " + value.name + " " + value.json;
    }
  }
  for (const auto& [name, json] : task_.phase_metrics) {
    metrics.meters.emplace_back(name, json);
    shown += "  " + name + " " + json;
  }
  if (log_ != nullptr) log_->phase(metrics);
  task_.log().log(LogLevel::info,
                  std::string(c.training ? "trained" : "tested") + " epoch " +
                      std::to_string(std::max<std::int64_t>(c.train_phase_idx, 0) + 1) + "/" +
                      std::to_string(task_.epochs()) + ": loss " +
                      std::to_string(metrics.mean_loss) + shown);
  task_.phase_done = true;
  agree();
  if (!c.training) return;
  const bool last = c.train_phase_idx + 1 == task_.epochs();
  if (last) {
    save(CheckpointKind::final_phase, c.train_phase_idx);
  } else if (phase_frequency_ > 0 && c.train_phase_idx % phase_frequency_ == 0) {
    save(CheckpointKind::phase, c.train_phase_idx);
  }
  save_if_due();
}

bool Trainer::must_stop(bool training) {
  const int number = signal_;
  if (number == 0 && !task_.stop_requested) return false;
  if (training) {
    if (saved_iteration_ != task_.counters.iteration)
      save(CheckpointKind::iteration, task_.counters.iteration);
  } else if (task_.has_train()) {
    // A test phase that is not over runs again from its beginning.
    if (!task_.phase_done) task_.counters = before_test_;
    task_.phase_done = true;
    save(CheckpointKind::iteration, task_.counters.iteration);
  }
  if (!training && !task_.has_train() && !task_.stop_requested) {
    task_.log().log(LogLevel::warning, "signal " + std::to_string(number) +
                                           ": stopped; a run that only tests has nothing to save");
    exit_code_ = static_cast<int>(number == SIGINT ? Exit::interrupted : Exit::terminated);
    return true;
  }
  if (task_.stop_requested) {
    const auto& [code, reason] = *task_.stop_requested;
    task_.log().log(LogLevel::info, "stopped after iteration " +
                                        std::to_string(task_.counters.iteration) + ": " + reason);
    exit_code_ = code;
  } else {
    task_.log().log(LogLevel::warning, "signal " + std::to_string(number) +
                                           ": saved at iteration " +
                                           std::to_string(task_.counters.iteration) +
                                           "; run the same command again to go on");
    exit_code_ = static_cast<int>(Exit::saved);
  }
  return true;
}

void Trainer::save(CheckpointKind kind, std::int64_t number) {
  task_.model().store().check_finite("iteration " + std::to_string(task_.counters.iteration));
  if (folder_ == nullptr) return;
  Node state = task_.state();
  if (log_ != nullptr) state["vissl_host"]["files"] = log_->positions();
  const Node own = task_.facts().rank != 0 ? task_.rank_state() : Node();
  const std::string file = folder_->save({kind, number}, std::move(state), own);
  saved_iteration_ = task_.counters.iteration;
  task_.log().log(LogLevel::debug, "saved " + file);
}

double Trainer::rehearse() {
  constexpr int kSteps = 3;  // the first warms up
  const bool training = task_.has_train();
  task_.fire(VISSL_EVENT_START);
  begin_phase(training);
  const std::unique_ptr<Phase> phase = open_phase(training);
  double seconds = std::numeric_limits<double>::quiet_NaN();
  for (int i = 0; i < kSteps; ++i) {
    const Clock::time_point started = Clock::now();
    StepPart part{0, task_.batches_per_step(training)};
    std::shared_ptr<Batch> batch;
    for (; part.number < part.count && (batch = phase->next()); ++part.number)
      task_.step(batch, part);
    if (!batch) break;
    seconds = std::chrono::duration<double>(Clock::now() - started).count();
    if (training) ++task_.counters.iteration;
    ++task_.counters.local_iteration;
    ++task_.counters.phase_batch;
    task_.fire(VISSL_EVENT_STEP);
  }
  task_.meters().reduce();
  task_.fire(VISSL_EVENT_PHASE_END);
  task_.meters().values();
  return seconds;
}

}  // namespace vissl::host
