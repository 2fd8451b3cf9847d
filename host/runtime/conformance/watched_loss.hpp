#pragma once
// The judged loss in a small run.
#include <memory>

#include "host/boundary.hpp"

namespace vissl::host {

// The same component with run_watch() around its forward and its events; its state and its other
// extensions are its own. One exists at a time. [main]
std::unique_ptr<Instance> watch_loss(std::unique_ptr<Instance> real);

}  // namespace vissl::host
