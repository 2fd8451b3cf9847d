#pragma once
// Where the time of the data path goes, in seconds of all workers together.
#include <chrono>

namespace vissl::host {

struct StageSeconds {
  double read = 0;       // data sources and labels
  double decode = 0;     // image files to pixels
  double transform = 0;  // without the decoding that transforms ask for
  double place = 0;      // collator: rows of the batch
  StageSeconds& operator+=(const StageSeconds& other) {
    read += other.read;
    decode += other.decode;
    transform += other.transform;
    place += other.place;
    return *this;
  }
  StageSeconds operator-(const StageSeconds& other) const {
    return {read - other.read, decode - other.decode, transform - other.transform,
            place - other.place};
  }
};

class Stopwatch {
 public:
  // Seconds since the start or the last lap.
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    const double seconds = std::chrono::duration<double>(now - start_).count();
    start_ = now;
    return seconds;
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace vissl::host
