#include "host/data/plan.hpp"

#include <vissl/sampler.h>

#include <algorithm>

namespace vissl::host {

BatchPlan::BatchPlan(const PhaseSpec& spec, std::uint64_t seed, const Dataset& dataset,
                     Catalogue& catalogue)
    : spec_(spec), dataset_(dataset) {
  const SplitSettings& settings = dataset.settings();
  if (spec.each_once) {
    const std::int64_t left = std::max<std::int64_t>(0, dataset.length() - spec.rank);
    sample_count_ = (left + spec.world - 1) / spec.world;
    batch_count_ = (sample_count_ + settings.batch_size - 1) / settings.batch_size;
  } else {
    sampler_ = catalogue.create("sampler", settings.sampler);
    const auto& table = sampler_->as<vissl_sampler_class>();
    const std::vector<std::int64_t>& labels = dataset.class_labels();
    vissl_sampler_open args{};
    args.size = sizeof args;
    args.length = dataset.length();
    args.labels = labels.empty() ? nullptr : labels.data();
    args.batch_size = settings.batch_size;
    args.epoch = spec.epoch;
    args.rank = spec.rank;
    args.world = spec.world;
    args.seed = seed;
    args.training = spec.training ? 1 : 0;
    args.drop_last = settings.drop_last ? 1 : 0;
    ErrorSink sink;
    sink.check(table.open(sampler_->self(), &args, sink.get()),
               "data." + settings.name + ".sampler " + component_text(*settings.sampler));
    batch_count_ = table.batch_count(sampler_->self());
    sample_count_ = batch_count_ * settings.batch_size;
  }
  seen_.resize(static_cast<std::size_t>(dataset.length()));
  PlannedBatch skipped;
  while (next_ < std::min(spec.start_batch, batch_count_)) advance(skipped);
}

BatchPlan::~BatchPlan() = default;

void BatchPlan::read_indices(std::int64_t number, std::vector<std::int64_t>& out) {
  const SplitSettings& settings = dataset_.settings();
  out.clear();
  if (!sampler_) {
    const std::int64_t end = std::min(sample_count_, (number + 1) * settings.batch_size);
    for (std::int64_t i = number * settings.batch_size; i < end; ++i) {
      out.push_back(spec_.rank + i * spec_.world);
    }
    return;
  }
  const std::string where =
      "data." + settings.name + ".sampler " + component_text(*settings.sampler);
  const std::int64_t* indices = nullptr;
  std::uint64_t count = 0;
  ErrorSink sink;
  sink.check(sampler_->as<vissl_sampler_class>().batch(sampler_->self(), number, &indices, &count,
                                                       sink.get()),
             where);
  out.assign(indices, indices + count);
  if (out.empty()) {
    throw Error(Exit::run_failed, where + " gave no sample for batch " + std::to_string(number));
  }
  for (const std::int64_t index : out) {
    if (index < 0 || index >= dataset_.length()) {
      throw Error(Exit::run_failed, where + " gave the position " + std::to_string(index) +
                                        " in batch " + std::to_string(number) +
                                        ", and the split has " + std::to_string(dataset_.length()) +
                                        " samples");
    }
  }
}

void BatchPlan::advance(PlannedBatch& out) {
  read_indices(next_, out.indices);
  out.number = next_++;
  out.occurrences.clear();
  for (const std::int64_t index : out.indices) {
    out.occurrences.push_back(seen_[static_cast<std::size_t>(index)]++);
  }
  if (!dataset_.settings().queue_dataset) return;
  out.before = before_;
  before_.insert(before_.end(), out.indices.begin(), out.indices.end());
  const auto kept = static_cast<std::size_t>(dataset_.settings().batch_size);
  if (before_.size() > kept) {
    before_.erase(before_.begin(), before_.end() - static_cast<std::ptrdiff_t>(kept));
  }
}

bool BatchPlan::next(PlannedBatch& out) {
  if (next_ >= batch_count_) return false;
  advance(out);
  return true;
}

}  // namespace vissl::host
