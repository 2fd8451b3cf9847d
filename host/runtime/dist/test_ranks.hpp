#pragma once
// Ranks of a test as threads of one process.
#include <doctest/doctest.h>

#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <vector>

#include "host/runtime/dist/gloo.hpp"

namespace vissl::host {

// Calls `body(ranks)` on `world` threads at once. The first exception comes out.
inline void on_ranks(int64_t world, const std::function<void(Collectives&)>& body) {
  const auto store = c10::make_intrusive<c10d::HashStore>();
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::exception_ptr first;
  for (int64_t rank = 0; rank < world; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        GlooSettings settings;
        settings.interface_address = "127.0.0.1";
        settings.timeout = std::chrono::seconds(20);
        const auto ranks = make_gloo(store, rank, world, settings);
        body(*ranks);
        ranks->barrier();
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!first) first = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (first) std::rethrow_exception(first);
}

// Checks of several threads at once; doctest's own are not safe there.
inline void require(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

}  // namespace vissl::host
