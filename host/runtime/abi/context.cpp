#include "host/runtime/abi/context.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/autocast_mode.h>

namespace vissl::host {

Context& context() {
  static Context the_context;
  return the_context;
}

at::Generator default_generator() {
  return at::globalContext().defaultGenerator(context().device);
}

RandomState RandomState::current() {
  RandomState state;
  state.cpu = at::globalContext().defaultGenerator(at::kCPU).get_state();
  if (context().device.is_cuda()) state.gpu = default_generator().get_state();
  return state;
}

void RandomState::set() const {
  at::Generator generator = at::globalContext().defaultGenerator(at::kCPU);
  generator.set_state(cpu);
  if (!gpu.defined()) return;
  generator = default_generator();
  generator.set_state(gpu);
}

AutocastScope::AutocastScope()
    : before_(at::autocast::is_autocast_enabled(context().device.type())) {
  if (!context().autocast) return;
  const auto device = context().device.type();
  at::autocast::set_autocast_dtype(device, context().autocast_dtype);
  at::autocast::set_autocast_enabled(device, true);
  at::autocast::increment_nesting();
}

AutocastScope::~AutocastScope() {
  if (!context().autocast) return;
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(context().device.type(), before_);
}

NoCastCache::NoCastCache() : before_(at::autocast::is_autocast_cache_enabled()) {
  at::autocast::set_autocast_cache_enabled(false);
}

NoCastCache::~NoCastCache() {
  at::autocast::set_autocast_cache_enabled(before_);
}

ForwardMode& forward_mode() {
  thread_local ForwardMode mode;
  return mode;
}

}  // namespace vissl::host
