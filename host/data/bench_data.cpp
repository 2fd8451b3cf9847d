#include "host/data/bench_data.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <vector>

#include "host/data/memory.hpp"
#include "host/data/phase.hpp"

namespace vissl::host {
namespace {

struct Stage {
  const char* name;
  double seconds;
  const char* advice;
};

// In the order of the data path.
std::vector<Stage> stages_of(const StageSeconds& seconds) {
  return {
      {"read", seconds.read, "the files come slowly; copy the data to a local disk"},
      {"decode", seconds.decode,
       "most of the time goes into decoding; store the images at the size that the crops need"},
      {"transform", seconds.transform,
       "most of the time goes into the transforms; look for a large blur or many views"},
      {"place", seconds.place, "most of the time goes into writing the rows of the batch"},
  };
}

double total_of(const std::vector<Stage>& stages) {
  double total = 0;
  for (const Stage& stage : stages) total += stage.seconds;
  return total;
}

template <class... Args>
std::string formatted(const char* format, Args... args) {
  char text[160];
  std::snprintf(text, sizeof text, format, args...);
  return text;
}

}  // namespace

DataBench bench_data(DataEngine& engine, const PhaseSpec& spec, double seconds) {
  const std::int64_t unreadable_before = engine.invalid_samples();
  Stopwatch watch;
  const std::unique_ptr<Phase> phase = engine.open(spec, plain_memory());
  auto& workers = dynamic_cast<WorkerPhase&>(*phase);
  if (phase->batch_count() - spec.start_batch < 2) {
    throw Error(Exit::usage, "data." + spec.split + " has " + std::to_string(phase->batch_count()) +
                                 " batches; a measurement needs two or more: lower "
                                 "batchsize_per_replica");
  }
  DataBench bench;
  bench.workers = workers.thread_count();
  bench.cores = usable_cores();
  bench.first_samples = phase->next()->samples;
  bench.first_seconds = watch.lap();
  const StageSeconds before = workers.stage_seconds();
  while (bench.seconds < seconds) {
    const std::shared_ptr<Batch> batch = phase->next();
    if (!batch) break;
    bench.samples += batch->samples;
    bench.seconds += watch.lap();
  }
  bench.stages = workers.stage_seconds() - before;
  bench.unreadable = engine.invalid_samples() - unreadable_before;
  return bench;
}

std::string bench_advice(const DataBench& bench) {
  const std::vector<Stage> stages = stages_of(bench.stages);
  const Stage& slowest =
      *std::max_element(stages.begin(), stages.end(),
                        [](const Stage& a, const Stage& b) { return a.seconds < b.seconds; });
  if (bench.workers < bench.cores && slowest.name != std::string("read")) {
    return formatted("%d of %d cores work on the data; raise data.num_workers",
                     std::max(1, bench.workers), bench.cores);
  }
  return slowest.advice;
}

std::string bench_text(const DataBench& bench) {
  std::string text = formatted("%.0f images/s (%lld images in %.1f s, %d workers on %d cores)\n",
                               bench.samples_per_second(), static_cast<long long>(bench.samples),
                               bench.seconds, bench.workers, bench.cores);
  const std::vector<Stage> stages = stages_of(bench.stages);
  const double total = std::max(total_of(stages), 1e-9);
  for (const Stage& stage : stages) {
    text += formatted("  %-10s %5.1f %%\n", stage.name, 100 * stage.seconds / total);
  }
  if (bench.unreadable > 0) {
    text +=
        formatted("  %lld images could not be read\n", static_cast<long long>(bench.unreadable));
  }
  return text + bench_advice(bench) + "\n";
}

}  // namespace vissl::host
