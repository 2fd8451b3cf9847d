#pragma once
// The process-wide settings of a run, resolved once from [machine] and the command before anything
// is built. [main]
#include <c10/core/ScalarType.h>

#include <string>

#include "host/boundary.hpp"
#include "host/runtime/device/device.hpp"
#include "host/runtime/setting.hpp"

namespace vissl::host {

struct Precision {
  std::string name;                        // "fp32", "bf16", "fp16" or "fp64": what "auto" became
  at::ScalarType parameters = at::kFloat;  // of parameters and inputs
  bool autocast = false;                   // forward and loss under autocast
  at::ScalarType autocast_dtype = at::kBFloat16;
  bool loss_scaling = false;  // fp16 only
};

// What machine.precision means on this machine. "auto" is bf16 where the CPU multiplies bf16
// matrices in hardware. Throws Error(usage) for a precision that the device cannot do.
Precision resolve_precision(const std::string& name, at::Device device);

// The root of the resolved config.
Setting whole_config(const Services& services);

class Session {
 public:
  // `device` is what choose_device gave. Sets threads, determinism, precision and VISSL's
  // process seed (seed_value + rank) * num_epochs.
  Session(const Services& services, const RunDevice& device);

  const Services& services() const { return services_; }
  const Setting& config() const { return config_; }
  const Precision& precision() const { return precision_; }
  at::Device device() const { return device_.device; }
  const RunDevice& run_device() const { return device_; }
  Cuda* cuda() const { return device_.cuda; }  // NULL on a CPU
  // "cpu", or the GPU's name: runs on other kinds of device differ in their bits.
  std::string device_name() const;
  // The most that the GPU's tensors took at one time so far; -1 on a CPU.
  std::int64_t peak_memory_mib() const;
  int threads() const { return threads_; }
  // Seeds torch's generators as at the start of a process.
  void seed_process();
  bool deterministic() const { return deterministic_; }
  void log(LogLevel level, const std::string& text) const { services_.log->log(level, text); }

 private:
  const Services& services_;
  Setting config_;
  Precision precision_;
  RunDevice device_;
  int threads_ = 1;
  bool deterministic_ = false;
};

}  // namespace vissl::host
