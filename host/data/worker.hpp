#pragma once
// What one worker does with one sample: read, transform, settle; and with a batch: lay out, place,
// finish. It owns the things that only one thread may use; the phase decides who works on what.
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "host/data/dataset.hpp"
#include "host/data/pipeline.hpp"
#include "host/data/plan.hpp"
#include "host/data/stages.hpp"

namespace vissl::host {

class Worker {
 public:
  Worker(const Dataset& dataset, std::unique_ptr<Pipeline> pipeline)
      : dataset_(dataset), pipeline_(std::move(pipeline)) {}

  // The transformed sample at `position` of the planned batch. Unreadable images are added to
  // `unreadable`. Throws Error whose text ends with the sample's path.
  std::unique_ptr<Sample> produce(const PlannedBatch& plan, std::size_t position,
                                  std::uint64_t seed, std::uint32_t train_phase,
                                  std::vector<Unreadable>& unreadable);
  void layout(const PlannedBatch& plan, Sample& first, BatchBuilder& batch);
  void place(const PlannedBatch& plan, std::size_t position, std::unique_ptr<Sample> sample,
             BatchBuilder& batch);
  void finish(BatchBuilder& batch);

  // Gives the readers back; on the thread that used them.
  void close() { reader_.reset(); }
  std::unique_ptr<Pipeline> take_pipeline() { return std::move(pipeline_); }
  // The time since the last call.
  StageSeconds take_seconds() { return std::exchange(seconds_, {}); }

 private:
  void run(const PlannedBatch& plan, std::size_t position, bool decode, Sample& sample,
           std::vector<Unreadable>& unreadable);
  [[noreturn]] void rethrow_with_path(const Error& error, std::int64_t index) const;

  const Dataset& dataset_;
  std::unique_ptr<Pipeline> pipeline_;
  std::optional<Dataset::Reader> reader_;
  std::vector<std::unique_ptr<Sample>> free_;
  std::vector<std::int64_t> before_;
  StageSeconds seconds_;
};

}  // namespace vissl::host
