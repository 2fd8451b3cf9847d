#pragma once
// How fast a split gives batches, and which stage takes the time.
#include <cstdint>
#include <string>

#include "host/boundary.hpp"
#include "host/data/stages.hpp"

namespace vissl::host {

struct DataBench {
  std::int64_t samples = 0;
  double seconds = 0;              // without the first batch, which waits for the workers to start
  std::int64_t first_samples = 0;  // of the first batch
  double first_seconds = 0;        // until the first batch was there
  int workers = 0;                 // threads; 0 = the consumer did the work
  int cores = 0;                   // that the process may use
  StageSeconds stages;             // of all workers
  std::int64_t unreadable = 0;

  double samples_per_second() const {
    return seconds > 0 ? static_cast<double>(samples) / seconds : 0;
  }
};

// Takes batches of the phase and drops them until `seconds` are over or the phase ends. Throws
// Error(usage) when the phase has fewer than two batches.
DataBench bench_data(DataEngine& engine, const PhaseSpec& spec, double seconds);

// What people read: images per second, the share of each stage, and a sentence on what would help.
std::string bench_text(const DataBench& bench);
// The sentence alone.
std::string bench_advice(const DataBench& bench);

}  // namespace vissl::host
