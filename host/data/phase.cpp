#include "host/data/phase.hpp"

#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <system_error>
#include <utility>

namespace vissl::host {

// Shared with the deleters of delivered batches, which may outlive the phase.
class BatchPool {
 public:
  explicit BatchPool(Allocator memory) : memory_(std::move(memory)) {}

  std::unique_ptr<BatchBuilder> take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<BatchBuilder>(memory_);
    std::unique_ptr<BatchBuilder> builder = std::move(free_.back());
    free_.pop_back();
    return builder;
  }
  void give(std::unique_ptr<BatchBuilder> builder) noexcept {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    try {
      free_.push_back(std::move(builder));
    } catch (const std::bad_alloc&) {
      builder.reset();  // it is only a reserve
    }
  }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    free_.clear();
  }

 private:
  Allocator memory_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<BatchBuilder>> free_;
  bool closed_ = false;
};

struct WorkerPhase::Job {
  PlannedBatch plan;
  std::unique_ptr<BatchBuilder> builder;
  // Guarded by the phase's mutex.
  std::size_t claimed = 0;
  std::size_t left = 0;     // samples without a row yet
  bool laid_out = false;    // the sample at position 0 is through
  bool has_fields = false;  // … and the collator made the fields that rows are written to
  bool done = false;
  std::vector<std::pair<std::size_t, std::unique_ptr<Sample>>> parked;  // came before the layout
  std::vector<std::pair<std::size_t, Unreadable>> unreadable;
  std::size_t failed_at = 0;
  std::exception_ptr failure;  // of the lowest position that failed
};

namespace {

// Two batches ahead, and more when batches are so small that the workers would run dry.
std::size_t ring_depth(int threads, std::int64_t batch_size) {
  if (threads == 0) return 1;
  return 2 + static_cast<std::size_t>(2 * threads / batch_size);
}

// Signals are for the main thread: a worker never runs a handler.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    // A crash stays deliverable: blocked, it would end the process without a word.
    for (const int crash : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) sigdelset(&all, crash);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

WorkerPhase::WorkerPhase(Setup setup, const Dataset& dataset, std::unique_ptr<BatchPlan> plan)
    : setup_(std::move(setup)),
      dataset_(dataset),
      plan_(std::move(plan)),
      pool_(std::make_shared<BatchPool>(setup_.memory)),
      depth_(ring_depth(setup_.threads, dataset.settings().batch_size)) {
  for (std::unique_ptr<Pipeline>& pipeline : setup_.pipelines) {
    workers_.push_back(std::make_unique<Worker>(dataset_, std::move(pipeline)));
  }
  plan_ahead();
  try {
    start_threads(setup_.threads);
  } catch (const std::system_error& error) {
    stop_threads();
    throw Error(Exit::run_failed, "cannot start " + std::to_string(setup_.threads) +
                                      " data workers (" + error.what() +
                                      "); lower data.num_workers");
  }
}

WorkerPhase::~WorkerPhase() {
  stop_threads();
  std::vector<std::unique_ptr<Pipeline>> pipelines;
  for (const std::unique_ptr<Worker>& worker : workers_) {
    worker->close();
    pipelines.push_back(worker->take_pipeline());
  }
  jobs_.clear();
  pool_->close();
  if (setup_.give_back) setup_.give_back(std::move(pipelines));
}

void WorkerPhase::start_threads(int count) {
  const SignalsBlocked blocked;
  for (int i = 0; i < count; ++i) {
    Worker& worker = *workers_[static_cast<std::size_t>(i)];
    threads_.emplace_back([this, &worker, i] { thread_main(worker, i); });
  }
}

void WorkerPhase::stop_threads() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void WorkerPhase::thread_main(Worker& worker, int number) {
  pthread_setname_np(pthread_self(), ("data " + std::to_string(number)).c_str());
  std::unique_lock lock(mutex_);
  for (;;) {
    std::shared_ptr<Job> job;
    std::size_t position = 0;
    work_.wait(lock, [&] { return stopping_ || claim(job, position); });
    if (stopping_) break;  // perhaps with a claimed sample that nobody will ask for
    lock.unlock();
    work_on(worker, *job, position);
    lock.lock();
    seconds_ += worker.take_seconds();
  }
  lock.unlock();
  worker.close();  // readers are destroyed by the thread that used them
}

bool WorkerPhase::claim(std::shared_ptr<Job>& job, std::size_t& position) {
  for (const std::shared_ptr<Job>& candidate : jobs_) {
    if (candidate->claimed == candidate->plan.indices.size()) continue;
    job = candidate;
    position = candidate->claimed++;
    return true;
  }
  return false;
}

// Keeps the error of the lowest position, so that the message does not depend on who was faster.
void WorkerPhase::fail(Job& job, std::size_t position) {
  const std::lock_guard lock(mutex_);
  if (job.failure && job.failed_at <= position) return;
  job.failed_at = position;
  job.failure = std::current_exception();
}

void WorkerPhase::work_on(Worker& worker, Job& job, std::size_t position) {
  std::vector<Unreadable> unreadable;
  std::unique_ptr<Sample> sample;
  try {
    sample = worker.produce(job.plan, position, setup_.seed,
                            static_cast<std::uint32_t>(setup_.spec.train_phase), unreadable);
    if (position == 0) worker.layout(job.plan, *sample, *job.builder);
  } catch (...) {
    fail(job, position);
    sample.reset();
  }
  std::vector<std::pair<std::size_t, std::unique_ptr<Sample>>> parked;
  bool has_fields = false;
  {
    const std::lock_guard lock(mutex_);
    for (Unreadable& one : unreadable) job.unreadable.emplace_back(position, std::move(one));
    if (position == 0) {
      job.laid_out = true;
      job.has_fields = sample != nullptr;
      parked = std::move(job.parked);
    } else if (!job.laid_out && sample) {
      job.parked.emplace_back(position, std::move(sample));
      return;
    }
    has_fields = job.has_fields;
  }
  if (has_fields) {
    if (sample) place(worker, job, position, std::move(sample));
    for (auto& [at, waiting] : parked) place(worker, job, at, std::move(waiting));
  }
  samples_done(worker, job, 1 + parked.size());
}

void WorkerPhase::place(Worker& worker, Job& job, std::size_t position,
                        std::unique_ptr<Sample> sample) {
  try {
    worker.place(job.plan, position, std::move(sample), *job.builder);
  } catch (...) {
    fail(job, position);
  }
}

void WorkerPhase::samples_done(Worker& worker, Job& job, std::size_t count) {
  {
    const std::lock_guard lock(mutex_);
    job.left -= count;
    if (job.left > 0) return;
  }
  if (!job.failure) {  // all samples are in: nobody else touches the job
    try {
      worker.finish(*job.builder);
    } catch (...) {
      fail(job, job.plan.indices.size());
    }
  }
  {
    const std::lock_guard lock(mutex_);
    job.done = true;
  }
  ready_.notify_one();
}

void WorkerPhase::plan_ahead() {
  while (!plan_ended_) {
    {
      const std::lock_guard lock(mutex_);
      if (jobs_.size() >= depth_) return;
    }
    auto job = std::make_shared<Job>();
    try {
      if (!plan_->next(job->plan)) {
        plan_ended_ = true;
        return;
      }
      prepare(*job);
    } catch (...) {  // in its place in the order: the batches before it are still good
      plan_ended_ = true;
      job->plan.indices.clear();
      job->failure = std::current_exception();
      job->done = true;
    }
    {
      const std::lock_guard lock(mutex_);
      jobs_.push_back(std::move(job));
    }
    work_.notify_all();
  }
}

void WorkerPhase::prepare(Job& job) {
  job.left = job.plan.indices.size();
  job.builder = pool_->take();
  job.builder->reset(
      {setup_.seed, static_cast<std::uint32_t>(setup_.spec.train_phase),
       static_cast<std::uint64_t>(job.plan.number * setup_.spec.world + setup_.spec.rank)});
}

std::shared_ptr<WorkerPhase::Job> WorkerPhase::wait_for_front() {
  std::unique_lock lock(mutex_);
  if (jobs_.empty()) return nullptr;
  const std::shared_ptr<Job> front = jobs_.front();
  Stopwatch watch;
  if (setup_.threads == 0) {
    std::shared_ptr<Job> job;
    std::size_t position = 0;
    while (!front->done && claim(job, position)) {
      lock.unlock();
      work_on(*workers_.front(), *job, position);
      lock.lock();
      seconds_ += workers_.front()->take_seconds();
    }
  } else {
    ready_.wait(lock, [&] { return front->done; });
  }
  wait_seconds_ += watch.lap();
  jobs_.pop_front();
  return front;
}

std::shared_ptr<Batch> WorkerPhase::next() {
  if (failure_) std::rethrow_exception(failure_);
  try {
    plan_ahead();
    const std::shared_ptr<Job> job = wait_for_front();
    if (!job) return nullptr;
    if (job->failure) std::rethrow_exception(job->failure);
    count_unreadable(*job);
    std::shared_ptr<Batch> batch = deliver(*job);
    plan_ahead();  // the workers go on while the consumer computes
    return batch;
  } catch (...) {
    failure_ = std::current_exception();
    stop_threads();
    throw;
  }
}

void WorkerPhase::count_unreadable(Job& job) {
  if (job.unreadable.empty()) return;
  std::stable_sort(job.unreadable.begin(), job.unreadable.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Unreadable> unreadable;
  for (auto& [position, one] : job.unreadable) unreadable.push_back(std::move(one));
  unreadable_ += static_cast<std::int64_t>(unreadable.size());
  if (setup_.on_unreadable) setup_.on_unreadable(unreadable);
  const std::int64_t samples = plan_->sample_count();
  if (static_cast<double>(unreadable_) <=
      setup_.max_invalid_fraction * static_cast<double>(samples)) {
    return;
  }
  throw Error(Exit::bad_data, "data." + setup_.spec.split + ": " + std::to_string(unreadable_) +
                                  " images could not be read, more than "
                                  "data.max_invalid_fraction allows for " +
                                  std::to_string(samples) + " samples; the last is " +
                                  unreadable.back().path + ": " + unreadable.back().reason);
}

std::shared_ptr<Batch> WorkerPhase::deliver(Job& job) {
  BatchBuilder* builder = job.builder.release();
  std::shared_ptr<Batch> batch(&builder->batch(), [pool = pool_, builder](Batch*) {
    pool->give(std::unique_ptr<BatchBuilder>(builder));
  });
  batch->number = job.plan.number;
  batch->samples = static_cast<std::int64_t>(job.plan.indices.size());
  batch->indices = std::move(job.plan.indices);
  return batch;
}

StageSeconds WorkerPhase::stage_seconds() {
  const std::lock_guard lock(mutex_);
  return seconds_;
}

}  // namespace vissl::host
