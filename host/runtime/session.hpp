#pragma once
// The process-wide settings of a run, resolved once from [machine] and the command before anything
// is built. [main]
#include <c10/core/ScalarType.h>

#include <string>

#include "host/boundary.hpp"
#include "host/runtime/setting.hpp"

namespace vissl::host {

struct Precision {
  std::string name;                        // "fp32", "bf16", "fp16" or "fp64": what "auto" became
  at::ScalarType parameters = at::kFloat;  // of parameters and inputs
  bool autocast = false;                   // forward and loss under autocast
  at::ScalarType autocast_dtype = at::kBFloat16;
  bool loss_scaling = false;  // fp16 on a GPU only
};

// What machine.precision means on this machine. "auto" is bf16 where the CPU multiplies bf16
// matrices in hardware. Throws Error(usage) for a precision that the device cannot do.
Precision resolve_precision(const std::string& name, at::Device device);

class Session {
 public:
  // Sets threads, determinism, precision and VISSL's process seed (seed_value + rank) * num_epochs.
  explicit Session(const Services& services);

  const Services& services() const { return services_; }
  const Setting& config() const { return config_; }
  const Precision& precision() const { return precision_; }
  at::Device device() const { return device_; }
  int threads() const { return threads_; }
  // Seeds torch's generators as at the start of a process.
  void seed_process();
  bool deterministic() const { return deterministic_; }
  void log(LogLevel level, const std::string& text) const { services_.log->log(level, text); }

 private:
  const Services& services_;
  Setting config_;
  Precision precision_;
  at::Device device_;
  int threads_ = 1;
  bool deterministic_ = false;
};

}  // namespace vissl::host
