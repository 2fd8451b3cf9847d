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
