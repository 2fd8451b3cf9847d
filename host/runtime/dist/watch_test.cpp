#include "host/runtime/dist/watch.hpp"

#include <c10/util/StringUtil.h>
#include <doctest/doctest.h>

#include <memory>
#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <vector>

using namespace vissl::host;
using std::chrono::milliseconds;

namespace {

constexpr int64_t kWorld = 4;

// The watches of four ranks in one process, which have come to `begun` exchanges each. What would
// end a process does nothing here.
class Watches {
 public:
  explicit Watches(const std::vector<Collectives::Begun>& begun) {
    const auto store = c10::make_intrusive<c10d::HashStore>();
    for (int64_t rank = 0; rank < kWorld; ++rank) {
      Watch::Settings settings;
      settings.rank = rank;
      settings.world = kWorld;
      settings.timeout = milliseconds(7'000);
      watches_.push_back(std::make_unique<Watch>(store, settings, [](Watch&, const RankError&) {}));
      watches_.back()->follow([own = begun[static_cast<std::size_t>(rank)]] { return own; });
    }
    for (int64_t rank = 0; rank < kWorld; ++rank) {  // the first beats may be older than `begun`
      const Collectives::Begun& own = begun[static_cast<std::size_t>(rank)];
      while (store->get_to_str(c10::str("begun/", rank)) != c10::str(own.all, " ", own.in_groups))
        std::this_thread::sleep_for(milliseconds(10));
    }
  }
  RankError late(int64_t rank) {
    const RankError met{rank, rank, Exit::distributed, "Timed out waiting"};
    return watches_[static_cast<std::size_t>(rank)]->judge(met, Watch::Cause::late);
  }

 private:
  std::vector<std::unique_ptr<Watch>> watches_;
};

}  // namespace

TEST_CASE("watch: after a timeout the ranks that came to the fewest exchanges are named") {
  Watches some({{9, 0}, {8, 0}, {9, 0}, {8, 0}});
  const RankError error = some.late(2);
  CHECK(error.text ==
        "ranks 1, 3 are stalled: rank 2 waited 7 s (distributed.timeout_seconds) in an exchange to "
        "which ranks 1, 3 did not come; look there for a slow disk or a plugin that does not "
        "return");
  CHECK(error.code == Exit::distributed);
  CHECK(some.late(0).text == error.text);  // the first that timed out speaks for all
}

TEST_CASE("watch: of ranks that wait in a group, the one outside is named") {
  Watches some({{9, 3}, {9, 2}, {10, 3}, {10, 0}});
  CHECK(some.late(0).text.find("rank 1 is stalled") == 0);
}

TEST_CASE("watch: when all came to an exchange that timed out, its own text stays") {
  Watches some({{9, 0}, {9, 0}, {10, 0}, {10, 0}});
  CHECK(some.late(1).text == "Timed out waiting");
}
