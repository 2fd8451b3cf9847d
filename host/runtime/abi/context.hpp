#pragma once
// What calls of plugins see of the run and of the forward pass around them.
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstdint>

#include "host/boundary.hpp"

struct vissl_model;

namespace vissl::host {

// Facts of the process that the tensor service needs. Written before the run starts, then read
// only.
struct Context {
  bool autocast = false;  // what set_autocast_enabled(1) restores
  at::ScalarType autocast_dtype = at::kBFloat16;
  at::ScalarType parameters = at::kFloat;  // type of parameters and inputs
  c10::Device device = c10::Device(c10::kCPU);
  CrashPlace* crash_place = nullptr;  // the executable's
};
Context& context();

// Stands around a call into a component: a crash there is told with its name. `method`: static
// text.
inline InPlugin entering(const Instance& instance, const char* method) {
  return InPlugin(context().crash_place, instance, method);
}

// The default generator of the run's device.
at::Generator default_generator();

// States of the generators that a forward pass may draw from: the CPU's and the run's GPU's.
struct RandomState {
  at::Tensor cpu, gpu;  // bytes on the CPU; `gpu` is undefined in a run without one
  static RandomState current();
  void set() const;
};

// Turns autocast on for the life of the object when the run uses it, else does nothing; clears the
// cast cache at the end. One per step (forward and loss). [main]
class AutocastScope {
 public:
  AutocastScope();
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  bool before_;
};

// Keeps autocast from caching casts. Weights that are cast without grad mode must not be found by a
// pass with it.
class NoCastCache {
 public:
  NoCastCache();
  ~NoCastCache();
  NoCastCache(const NoCastCache&) = delete;
  NoCastCache& operator=(const NoCastCache&) = delete;

 private:
  bool before_;
};

// How blocks and batch norms behave in the forward pass of this thread.
struct ForwardMode {
  bool recompute = false;    // block_call keeps inputs only and runs the block again in backward
  bool recomputing = false;  // inside such a second run: statistics stay as they are
  bool in_block = false;     // a block_call here is part of the block around it
  int64_t sync_group = 0;    // ranks that share batch-norm statistics; 0 = only this one
  vissl_model* model = nullptr;  // whose pass it is
  bool training = false;
};
ForwardMode& forward_mode();

// Sets the mode and puts the former one back.
class ForwardModeScope {
 public:
  explicit ForwardModeScope(const ForwardMode& mode) : before_(forward_mode()) {
    forward_mode() = mode;
  }
  ~ForwardModeScope() { forward_mode() = before_; }
  ForwardModeScope(const ForwardModeScope&) = delete;
  ForwardModeScope& operator=(const ForwardModeScope&) = delete;

 private:
  ForwardMode before_;
};

}  // namespace vissl::host
