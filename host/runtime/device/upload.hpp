#pragma once
// Batches on their way to the run's device. [main]
#include <c10/core/Event.h>
#include <c10/core/Stream.h>

#include <deque>
#include <memory>
#include <optional>

#include "host/boundary.hpp"
#include "host/runtime/train/fields.hpp"

namespace vissl::host {

class Upload {
 public:
  struct Settings {
    at::Device device = at::Device(at::kCPU);
    at::ScalarType dtype = at::kFloat;  // of floating-point fields
    bool channels_last = false;
    bool ahead = false;  // data.async_copy: the next batch is copied while this one computes
  };
  explicit Upload(const Settings& settings);
  ~Upload();  // waits for the copies
  Upload(const Upload&) = delete;
  Upload& operator=(const Upload&) = delete;

  bool ahead() const { return settings_.ahead; }
  // Begins to copy a batch, on a GPU beside the computation. Keeps the batch until it is copied.
  void begin(const std::shared_ptr<Batch>& batch);
  // The fields of a batch on the device: those of `begin`, else copied now. What the caller runs
  // afterwards waits for them, the caller does not.
  Fields take(const std::shared_ptr<Batch>& batch);

 private:
  struct Copy {
    std::shared_ptr<Batch> batch;
    Fields fields;
    std::optional<c10::Event> done;  // on a GPU
  };
  Fields copy(const std::shared_ptr<Batch>& batch, bool wait) const;
  void drop_done();

  Settings settings_;
  std::optional<c10::Stream> side_;  // on a GPU that copies ahead
  std::deque<Copy> begun_;
  std::deque<Copy> taken_;  // whose memory the device may still read
};

// The batches of a phase in order. With `upload.ahead()` the one after is fetched and its copy
// begun before a batch is delivered.
class Delivery {
 public:
  Delivery(Phase& phase, Upload& upload) : phase_(phase), upload_(upload) {}
  std::shared_ptr<Batch> next();  // NULL after the last

 private:
  std::shared_ptr<Batch> fetch();

  Phase& phase_;
  Upload& upload_;
  std::shared_ptr<Batch> following_;
  bool started_ = false;
};

}  // namespace vissl::host
