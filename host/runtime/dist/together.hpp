#pragma once
// Work that each rank does by itself, but with one outcome. [main]
#include <functional>

#include "host/runtime/dist/collectives.hpp"

namespace vissl::host {

// Each rank does `work`, in which it may not exchange anything, and waits for the others. Unless
// all of them succeed, all throw the same Error: the first failing rank's, named by "rank 1: " in
// front when others succeeded. One small exchange.
void together(Collectives& ranks, const std::function<void()>& work);

}  // namespace vissl::host
