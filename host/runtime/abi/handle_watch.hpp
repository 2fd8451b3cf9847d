#pragma once
// Lets check-plugin follow every handle that plugins own. Nobody watches in a run.
#include <vissl/tensor.h>

namespace vissl::host {

class HandleWatch {
 public:
  virtual ~HandleWatch() = default;
  virtual void made(vissl_tensor* handle) = 0;
  // Whether the handle may be freed now. A watcher that says no keeps it as long as it lives.
  virtual bool dropped(vissl_tensor* handle) = 0;
};

// NULL = nobody. Set while no plugin runs; the watcher outlives its time. [main]
void watch_handles(HandleWatch* watch) noexcept;

}  // namespace vissl::host
