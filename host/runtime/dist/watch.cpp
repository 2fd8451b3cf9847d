#include "host/runtime/dist/watch.hpp"

#include <c10/util/StringUtil.h>

#include <algorithm>
#include <sstream>
#include <torch/csrc/distributed/c10d/Store.hpp>

namespace vissl::host {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kBeat{500}, kLook{100};
// A rank whose connections broke has lost a peer: who is silent for so long is the one.
constexpr milliseconds kSuspicious{3'000};
// The main thread's own end, when it comes so soon after another rank's error, says more.
constexpr milliseconds kGrace{1'000};
// This process itself stood still (SIGSTOP, a suspended machine): all clocks start anew.
constexpr milliseconds kOwnPause{2'000};

std::string beat_key(int64_t rank) {
  return c10::str("beat/", rank);
}

std::string begun_key(int64_t rank) {
  return c10::str("begun/", rank);
}

std::string seconds_text(milliseconds time) {
  return c10::str(duration_cast<seconds>(time).count(), " s");
}

}  // namespace

std::string RankError::store_text() const {
  return c10::str(rank, " ", reporter, " ", static_cast<int>(code), " ", text);
}

RankError RankError::parse(const std::string& stored) {
  RankError error;
  std::size_t at = 0;
  const auto number = [&] {
    const std::size_t space = stored.find(' ', at);
    const int64_t value = std::stoll(stored.substr(at, space - at));
    at = space + 1;
    return value;
  };
  error.rank = number();
  error.reporter = number();
  error.code = static_cast<Exit>(number());
  error.text = stored.substr(at);
  return error;
}

Watch::Watch(c10::intrusive_ptr<c10d::Store> store, Settings settings, End end)
    : store_(std::move(store)),
      settings_(std::move(settings)),
      end_(std::move(end)),
      pulsed_(Clock::now()),
      lives_(static_cast<std::size_t>(settings_.world)) {
  pulse_thread_ = std::thread([this] { pulse(); });
  guard_thread_ = std::thread([this] { guard(); });
}

Watch::~Watch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  pulse_thread_.join();
  guard_thread_.join();
}

// Everything that talks to the store, which may block for as long as rank 0 stands still.
void Watch::pulse() {
  try {
    for (;;) {
      beat();
      std::unique_lock lock(mutex_);
      pulsed_ = Clock::now();
      changed_.notify_all();
      changed_.wait_for(lock, kBeat, [this] { return stopping_ || to_post_ || late_wanted_; });
      if (stopping_) return;
    }
  } catch (const std::exception&) {
    const std::lock_guard lock(mutex_);
    store_lost_ = true;
    changed_.notify_all();
  }
}

void Watch::beat() {
  Asked asked;
  {
    const std::lock_guard lock(mutex_);
    asked.to_post = std::exchange(to_post_, std::nullopt);
    asked.finishing = finishing_;
    asked.suspicious = suspicious_;
    asked.knows_error = first_.has_value();
    asked.late_wanted = late_wanted_;
    if (follow_) asked.begun = follow_();
  }
  const Answered answered = exchange(asked);
  const std::lock_guard lock(mutex_);
  if (answered.first) {
    first_ = answered.first;
    first_seen_ = Clock::now();
  }
  suspicious_ = suspicious_ || answered.suspicious;
  readers_ = answered.readers;
  all_finished_ = all_finished_ || answered.all_finished;
  if (asked.late_wanted) {
    late_ = answered.late;
    late_wanted_ = false;
  }
  if (settings_.rank == 0) look_at_lives(answered.beats);
}

// Tells the store what this rank has to say, and asks what the others said.
Watch::Answered Watch::exchange(const Asked& asked) {
  const int64_t beats = store_->add("beats/" + std::to_string(settings_.rank), 1);
  store_->set(beat_key(settings_.rank), (asked.finishing ? "done " : "") + std::to_string(beats));
  store_->set(begun_key(settings_.rank), c10::str(asked.begun.all, " ", asked.begun.in_groups));
  Answered answered;
  if (asked.late_wanted) answered.late = late_ranks(asked.begun);
  if (asked.suspicious) store_->set("suspicious", std::string("1"));
  if (asked.to_post) store_->compareSet("error", std::string(), asked.to_post->store_text());
  if (!asked.knows_error && store_->check({"error"})) {
    answered.first = RankError::parse(store_->get_to_str("error"));
    store_->add("readers", 1);
  }
  if (settings_.rank == 0) {
    for (int64_t rank = 0; rank < settings_.world; ++rank) {
      const bool there = store_->check({beat_key(rank)});
      answered.beats.push_back(there ? store_->get_to_str(beat_key(rank)) : "");
    }
    answered.suspicious = store_->check({"suspicious"});
    answered.readers = store_->add("readers", 0);
  } else if (asked.finishing && store_->check({"all done"})) {
    store_->add("gone", 1);
    answered.all_finished = true;
  }
  return answered;
}

// On rank 0, with the lock held.
void Watch::look_at_lives(const std::vector<std::string>& beats) {
  bool all_done = true;
  for (std::size_t rank = 0; rank < beats.size(); ++rank) {
    all_done = all_done && beats[rank].starts_with("done");
    if (beats[rank] != lives_[rank].beat) lives_[rank] = {beats[rank], Clock::now()};
  }
  if (!all_done) return;
  store_->set("all done", std::string("1"));
  if (all_done_since_ == Clock::time_point()) all_done_since_ = Clock::now();
  all_finished_ =
      store_->add("gone", 0) == settings_.world - 1 || Clock::now() - all_done_since_ > kGrace;
}

// Of the ranks that have come to fewer exchanges than this one, those with the fewest.
std::vector<int64_t> Watch::late_ranks(Collectives::Begun own) {
  std::vector<int64_t> late;
  Collectives::Begun fewest = own;
  for (int64_t rank = 0; rank < settings_.world; ++rank) {
    Collectives::Begun begun;
    if (store_->check({begun_key(rank)}))
      std::istringstream(store_->get_to_str(begun_key(rank))) >> begun.all >> begun.in_groups;
    if (begun < fewest) late.clear();
    fewest = std::min(fewest, begun);
    if (begun == fewest && begun < own) late.push_back(rank);
  }
  return late;
}

void Watch::follow(std::function<Collectives::Begun()> begun) {
  const std::lock_guard lock(mutex_);
  follow_ = std::move(begun);
}

// Never blocks: looks at what the pulse found, and ends the process when it must end.
void Watch::guard() {
  std::unique_lock lock(mutex_);
  Clock::time_point woke = Clock::now();
  while (!stopping_) {
    changed_.wait_for(lock, kLook);
    const Clock::time_point now = Clock::now();
    if (now - woke > kOwnPause) {
      pulsed_ = now;
      first_seen_ = now;
      for (Life& life : lives_) life.changed = now;
    }
    woke = now;
    if (judging_ || stopping_ || all_finished_) continue;
    look_for_lost_ranks();
    if (const std::optional<RankError> error = verdict()) {
      ending_ = true;
      lock.unlock();
      return end_(*this, *error);
    }
  }
}

// What must end this process now; with the lock held.
std::optional<RankError> Watch::verdict() {
  const Clock::time_point now = Clock::now();
  if (first_ && (first_->reporter == settings_.rank || store_lost_ || now - first_seen_ > kGrace))
    return first_;
  if (store_lost_ && finishing_) {
    all_finished_ = true;  // rank 0 waits for the others, but not for ever
    changed_.notify_all();
  } else if (store_lost_) {
    return lost_store();
  } else if (now - pulsed_ > settings_.stall) {
    return RankError{0, settings_.rank, Exit::distributed,
                     "rank 0 is stalled: its store at " + settings_.store_place +
                         " has not answered for " + seconds_text(settings_.stall)};
  }
  return std::nullopt;
}

RankError Watch::lost_store() const {
  return {0, settings_.rank, Exit::distributed,
          "rank 0 is lost: its store at " + settings_.store_place +
              " closed the connection; was its process killed?"};
}

// On rank 0, with the lock held.
void Watch::look_for_lost_ranks() {
  if (settings_.rank != 0 || first_ || to_post_) return;
  const milliseconds limit = suspicious_ ? std::min(kSuspicious, settings_.stall) : settings_.stall;
  const Clock::time_point now = Clock::now();
  std::size_t lost = 0;
  for (std::size_t rank = 1; rank < lives_.size(); ++rank) {
    const Life& life = lives_[rank];
    if (life.beat.empty() || life.beat.starts_with("done") || now - life.changed <= limit) continue;
    if (lost == 0 || life.changed < lives_[lost].changed) lost = rank;
  }
  if (lost == 0) return;
  const std::string text = c10::str(
      "rank ", lost,
      suspicious_ ? " is lost: its connections are closed and it" : " is lost or stalled: it",
      " has given no sign of life for ",
      seconds_text(duration_cast<milliseconds>(now - lives_[lost].changed)),
      "; was its process killed or stopped?");
  to_post_ = RankError{static_cast<int64_t>(lost), 0, Exit::distributed, text};
  changed_.notify_all();
}

RankError Watch::stalled(const std::vector<int64_t>& late) const {
  std::string names = late.size() == 1 ? "rank " : "ranks ";
  for (std::size_t i = 0; i < late.size(); ++i) names += c10::str(i > 0 ? ", " : "", late[i]);
  return {late[0], settings_.rank, Exit::distributed,
          c10::str(names, late.size() == 1 ? " is" : " are", " stalled: rank ", settings_.rank,
                   " waited ", seconds_text(settings_.timeout),
                   " (distributed.timeout_seconds) in an exchange to which ", names,
                   " did not come; look there for a slow disk or a plugin that does not return")};
}

RankError Watch::judge(const RankError& met, Cause cause) {
  std::unique_lock lock(mutex_);
  while (ending_) changed_.wait(lock);  // the process ends at any moment, and all is said
  judging_ = true;
  RankError own = met;
  const auto settled = [this] { return first_.has_value() || store_lost_; };
  if (cause == Cause::late) {
    late_wanted_ = true;
    changed_.notify_all();
    changed_.wait_for(lock, 4 * kBeat, [&] { return settled() || !late_wanted_; });
    if (!late_.empty()) own = stalled(late_);
  }
  if (cause != Cause::own && late_.empty()) {
    suspicious_ = true;
    changed_.notify_all();
    const Clock::time_point until = Clock::now() + kSuspicious + 2 * kBeat + kGrace;
    while (!settled() && Clock::now() < until) {
      changed_.wait_for(lock, kLook);
      look_for_lost_ranks();
    }
  }
  if (!settled()) {
    to_post_ = own;
    changed_.notify_all();
    changed_.wait_for(lock, 4 * kBeat, settled);
  }
  if (first_) return *first_;
  if (cause != Cause::own && store_lost_ && settings_.rank != 0) return lost_store();
  return own;
}

void Watch::finish() {
  std::unique_lock lock(mutex_);
  finishing_ = true;
  changed_.wait(lock, [this] { return all_finished_; });
}

bool Watch::rank_0_speaks() {
  const std::lock_guard lock(mutex_);
  return first_ || (!store_lost_ && Clock::now() - pulsed_ <= settings_.stall);
}

void Watch::wait_for_readers(int64_t absent) {
  if (settings_.rank != 0) return;
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, seconds(2),
                    [&] { return store_lost_ || readers_ >= settings_.world - absent; });
}

}  // namespace vissl::host
