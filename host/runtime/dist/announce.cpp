#include "host/runtime/dist/announce.hpp"

#include <thread>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "host/runtime/dist/store.hpp"
#include "host/runtime/dist/watch.hpp"

namespace vissl::host {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Until `done()`, at most `patience`; what it said last.
template <class Done>
bool wait_until(milliseconds patience, Done&& done) {
  const Clock::time_point until = Clock::now() + patience;
  while (!done()) {
    if (Clock::now() > until) return false;
    std::this_thread::sleep_for(milliseconds(20));
  }
  return true;
}

}  // namespace

bool announce(Ranks ranks, const Error& error, milliseconds patience) {
  const auto store = open_store(ranks, patience);
  const RankError own{ranks.rank, ranks.rank, error.code(), error.what()};
  const auto first = store->compareSet("error", std::string(), own.store_text());
  store->add("readers", 1);
  if (ranks.rank == 0) {
    wait_until(patience, [&] { return store->add("readers", 0) >= ranks.world; });
    return false;
  }
  const RankError told = RankError::parse(std::string(first.begin(), first.end()));
  constexpr milliseconds kFirstBeat{2'000};  // comes when rank 0 has opened the store
  return told.rank != 0 &&
         wait_until(kFirstBeat, [&] { return store->check({Watch::kRank0Lives}); });
}

}  // namespace vissl::host
