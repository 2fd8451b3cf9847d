#pragma once
// The batches of one phase, made by worker threads. A batch in work holds its own memory; its
// samples are taken by any worker, in order, and written to their rows as they finish; the worker
// that writes the last row finishes the batch. Batches leave in order. The result does not depend
// on the number of workers, because nothing of a sample does.
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "host/boundary.hpp"
#include "host/data/plan.hpp"
#include "host/data/worker.hpp"

namespace vissl::host {

// Memory of delivered batches that comes back.
class BatchPool;

class WorkerPhase final : public Phase {
 public:
  struct Setup {
    PhaseSpec spec;
    std::uint64_t seed;
    double max_invalid_fraction;
    std::vector<std::unique_ptr<Pipeline>> pipelines;  // one per worker, at least one
    int threads;  // 0 = next() does the work, with the one pipeline
    Allocator memory;
    // Told of the unreadable images of each batch that has any, in order, on the consumer's thread.
    std::function<void(const std::vector<Unreadable>&)> on_unreadable;
    // Takes the pipelines back when the phase ends.
    std::function<void(std::vector<std::unique_ptr<Pipeline>>)> give_back;
  };
  WorkerPhase(Setup setup, const Dataset& dataset, std::unique_ptr<BatchPlan> plan);
  ~WorkerPhase() override;

  std::int64_t batch_count() const override { return plan_->batch_count(); }
  std::shared_ptr<Batch> next() override;
  double wait_seconds() const override { return wait_seconds_; }

  int thread_count() const { return setup_.threads; }
  // Time of all workers. Exact once they stand still: after the last batch.
  StageSeconds stage_seconds();

 private:
  struct Job;

  void start_threads(int count);
  void stop_threads();
  void thread_main(Worker& worker, int number);
  void plan_ahead();
  void prepare(Job& job);
  std::shared_ptr<Job> wait_for_front();
  void count_unreadable(Job& job);
  std::shared_ptr<Batch> deliver(Job& job);

  // Takes a sample of the first batch that has one left; false when there is none. Call with the
  // mutex held.
  bool claim(std::shared_ptr<Job>& job, std::size_t& position);
  void work_on(Worker& worker, Job& job, std::size_t position);
  void place(Worker& worker, Job& job, std::size_t position, std::unique_ptr<Sample> sample);
  void samples_done(Worker& worker, Job& job, std::size_t count);
  void fail(Job& job, std::size_t position);

  Setup setup_;
  const Dataset& dataset_;
  std::unique_ptr<BatchPlan> plan_;
  std::shared_ptr<BatchPool> pool_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::size_t depth_;  // batches in work or ready

  std::mutex mutex_;
  std::condition_variable work_;           // there may be a sample to take, or it is time to stop
  std::condition_variable ready_;          // a batch is done
  std::deque<std::shared_ptr<Job>> jobs_;  // in order; the front is the next to leave
  bool stopping_ = false;
  StageSeconds seconds_;

  std::vector<std::thread> threads_;
  bool plan_ended_ = false;
  std::exception_ptr failure_;  // what next() threw; it throws it again
  double wait_seconds_ = 0;
  std::int64_t unreadable_ = 0;
};

}  // namespace vissl::host
