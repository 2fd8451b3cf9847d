#include "host/data/worker.hpp"

#include <utility>

namespace vissl::host {

void Worker::rethrow_with_path(const Error& error, std::int64_t index) const {
  throw Error(error.code(), std::string(error.what()) + " [sample " + std::to_string(index) + ", " +
                                dataset_.path(index) + "]");
}

std::unique_ptr<Sample> Worker::produce(const PlannedBatch& plan, std::size_t position,
                                        std::uint64_t seed, std::uint32_t train_phase,
                                        std::vector<Unreadable>& unreadable) {
  std::unique_ptr<Sample> sample;
  if (free_.empty()) {
    sample = std::make_unique<Sample>();
  } else {
    sample = std::move(free_.back());
    free_.pop_back();
  }
  const std::int64_t index = plan.indices[position];
  try {
    if (!reader_) reader_.emplace(dataset_);
    sample->reset({seed, train_phase, index, plan.occurrences[position], 0});
    run(plan, position, false, *sample, unreadable);
  } catch (const Error& error) {
    rethrow_with_path(error, index);
  }
  return sample;
}

void Worker::run(const PlannedBatch& plan, std::size_t position, bool decode, Sample& sample,
                 std::vector<Unreadable>& unreadable) {
  const StreamKey stream = sample.stream();
  before_.clear();
  if (dataset_.settings().queue_dataset) {
    before_ = plan.before;
    before_.insert(before_.end(), plan.indices.begin(),
                   plan.indices.begin() + static_cast<std::ptrdiff_t>(position));
  }
  const double decoded_before = Encoded::thread_seconds();
  Stopwatch watch;
  std::vector<Unreadable> met;
  reader_->read(sample, decode, before_, met);
  const double decoded_by_reader = Encoded::thread_seconds() - decoded_before;
  seconds_.read += watch.lap() - decoded_by_reader;
  try {
    pipeline_->transform(sample);
    sample.settle();
  } catch (const Error&) {
    // A file that turned out to be broken while it was decoded: once more, with the gray image in
    // its place and the same random numbers.
    if (decode || !sample.unreadable()) throw;
    sample.reset(stream);
    run(plan, position, true, sample, unreadable);
    return;
  }
  const double decoded = Encoded::thread_seconds() - decoded_before;
  seconds_.transform += watch.lap() - (decoded - decoded_by_reader);
  seconds_.decode += decoded;
  for (Unreadable& one : met) unreadable.push_back(std::move(one));
}

void Worker::layout(const PlannedBatch& plan, Sample& first, BatchBuilder& batch) {
  Stopwatch watch;
  try {
    pipeline_->layout(first, static_cast<std::int64_t>(plan.indices.size()), batch);
  } catch (const Error& error) {
    rethrow_with_path(error, plan.indices[0]);
  }
  seconds_.place += watch.lap();
}

void Worker::place(const PlannedBatch& plan, std::size_t position, std::unique_ptr<Sample> sample,
                   BatchBuilder& batch) {
  Stopwatch watch;
  try {
    pipeline_->place(static_cast<std::int64_t>(position),
                     static_cast<std::int64_t>(plan.indices.size()), *sample, batch);
  } catch (const Error& error) {
    rethrow_with_path(error, plan.indices[position]);
  }
  seconds_.place += watch.lap();
  free_.push_back(std::move(sample));
}

void Worker::finish(BatchBuilder& batch) {
  Stopwatch watch;
  pipeline_->finish(batch);
  seconds_.place += watch.lap();
}

}  // namespace vissl::host
