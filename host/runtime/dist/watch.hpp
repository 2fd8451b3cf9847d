#pragma once
// Watches over the ranks of a run while the main thread works: every rank tells the store twice a
// second that it lives, and the first error of any rank ends all of them, also inside a collective.
#include <c10/util/intrusive_ptr.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "host/files/error.hpp"
#include "host/runtime/dist/collectives.hpp"

namespace c10d {
class Store;
}

namespace vissl::host {

// The first error of the run, as it stands in the store.
struct RankError {
  int64_t rank = 0;               // that met it
  int64_t reporter = 0;           // that posted it; another one when `rank` itself cannot speak
  Exit code = Exit::distributed;  // of all ranks
  std::string text;
  std::string store_text() const;
  static RankError parse(const std::string& stored);
};

class Watch {
 public:
  struct Settings {
    int64_t rank = 0, world = 1;
    std::string store_place;                       // "127.0.0.1:29500", for texts
    std::chrono::milliseconds stall{60'000};       // a rank that is silent for so long is lost
    std::chrono::milliseconds timeout{1'800'000};  // of one exchange, for texts
  };
  // Ends the process: the main thread may be stuck. Called at most once, by a thread of the watch.
  using End = std::function<void(Watch&, const RankError&)>;

  static constexpr const char* kRank0Lives = "beat/0";  // in the store once rank 0 watches

  // `store` is used by the watch's own thread alone. Ranks are watched from their first sign of
  // life on.
  Watch(c10::intrusive_ptr<c10d::Store> store, Settings settings, End end);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // From now on the others are told how far this rank's exchanges have come, by what `begun`
  // answers on a thread of the watch; an empty function ends that. [main]
  void follow(std::function<Collectives::Begun()> begun);
  // How this rank's main thread met its error.
  enum class Cause {
    own,     // by itself
    broken,  // in an exchange: perhaps another rank's end
    late,    // an exchange took too long: another rank has not come to it
  };
  // What ends the run, when this rank's main thread has met an error: one that another rank
  // posted before, or the loss of a rank that broke this one's connections, or the ranks for which
  // this one waited in vain, or `met`. It is posted. Others' errors are awaited for some seconds
  // where they may be the cause. [main]
  RankError judge(const RankError& met, Cause cause);
  // This rank has come to its end; returns when all have. Rank 0 waits for the others because the
  // store lives in it. [main]
  void finish();
  // Rank 0 stays until the others, but for `absent` of them, know of the run's error, at most two
  // seconds; others return at once. [main]
  void wait_for_readers(int64_t absent);
  // Rank 0 knows what ends the run, because its store does, or will find out.
  bool rank_0_speaks();

 private:
  using Clock = std::chrono::steady_clock;

  // What this rank has to say and to ask at a beat.
  struct Asked {
    std::optional<RankError> to_post;
    Collectives::Begun begun;
    bool finishing = false, suspicious = false, knows_error = false, late_wanted = false;
  };
  // What the store says then.
  struct Answered {
    std::optional<RankError> first;
    std::vector<int64_t> late;
    std::vector<std::string> beats;  // of all ranks, on rank 0
    int64_t readers = 0;
    bool suspicious = false, all_finished = false;
  };

  void pulse();
  void beat();
  Answered exchange(const Asked& asked);
  void look_at_lives(const std::vector<std::string>& beats);
  void guard();
  std::optional<RankError> verdict();
  void look_for_lost_ranks();
  RankError lost_store() const;
  std::vector<int64_t> late_ranks(Collectives::Begun own);
  RankError stalled(const std::vector<int64_t>& late) const;

  c10::intrusive_ptr<c10d::Store> store_;
  Settings settings_;
  End end_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool stopping_ = false;
  bool finishing_ = false;     // this rank is done
  bool all_finished_ = false;  // and every other one
  bool judging_ = false;       // the main thread decides how the process ends
  bool ending_ = false;        // the guard does
  bool suspicious_ = false;    // connections broke: lost ranks are recognised soon
  bool store_lost_ = false;
  std::optional<RankError> to_post_;
  std::optional<RankError> first_;  // as the store has it
  int64_t readers_ = 0;             // ranks that know of it
  std::function<Collectives::Begun()> follow_;
  bool late_wanted_ = false;   // the main thread asks which ranks are late
  std::vector<int64_t> late_;  // the answer
  Clock::time_point pulsed_, first_seen_, all_done_since_;
  struct Life {
    std::string beat;
    Clock::time_point changed;
  };
  std::vector<Life> lives_;  // of all ranks, on rank 0

  std::thread pulse_thread_, guard_thread_;
};

}  // namespace vissl::host
