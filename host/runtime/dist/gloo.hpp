#pragma once
// Collectives between ranks: by the Gloo inside libtorch for tensors on CPUs, by NCCL for those on
// GPUs.
#include <c10/util/intrusive_ptr.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "host/runtime/dist/collectives.hpp"

namespace c10d {
class Backend;
class Store;
}  // namespace c10d

namespace vissl::host {

struct GlooSettings {
  std::string interface_address;  // of this machine, where other ranks reach this one: "10.0.0.7"
  std::chrono::milliseconds timeout{std::chrono::minutes(30)};  // of one collective
  // Makes what serves tensors on GPUs for a group of ranks with a store of its own; empty in runs
  // on CPUs.
  std::function<c10::intrusive_ptr<c10d::Backend>(const c10::intrusive_ptr<c10d::Store>& store,
                                                  int rank, int world)>
      make_gpu_backend;
};

// Waits until all `world` ranks have come. `store` is shared by them and outlives the result. Sums
// are made in one order whatever the timing, and all ranks get the same bits.
std::unique_ptr<Collectives> make_gloo(const c10::intrusive_ptr<c10d::Store>& store, int64_t rank,
                                       int64_t world, const GlooSettings& settings);

}  // namespace vissl::host
