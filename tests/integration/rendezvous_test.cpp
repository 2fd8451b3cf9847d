// Ranks that are started one by one and meet at an address, or do not: each failure ends within the
// limit and says what is missing.
#include <doctest/doctest.h>

#include <algorithm>
#include <thread>

#include "free_place.hpp"
#include "process.hpp"
#include "small_config.hpp"
#include "temp_folder.hpp"

using namespace vissl::test;

namespace {

// One of `world` ranks, as a launcher of the user's own starts it.
Result run_rank(const TempFolder& folder, int rank, int world, const std::string& place,
                const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments{
      "--rank", std::to_string(rank),    "--world-size", std::to_string(world), "--rendezvous",
      place,    "optimizer.num_epochs=1"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_host(run_arguments(folder / "run.toml", arguments), {}, std::chrono::seconds(60));
}

// Ranks 0 and 1 of two, at once; the second with `setting`.
std::pair<Result, Result> run_both(const TempFolder& folder, const std::string& setting) {
  const std::string place = free_place();
  Result second;
  std::thread thread([&] { second = run_rank(folder, 1, 2, place, {setting}); });
  const Result first = run_rank(folder, 0, 2, place, {"seed_value=0"});
  thread.join();
  return {first, second};
}

constexpr const char* kTwoSeconds = "distributed.timeout_seconds=2";
// Start and end of a process on a busy machine.
constexpr double kLimit = 2.0 + 5.0;

void check_failed(const Result& result, const std::string& text) {
  INFO(result.err);
  CHECK(result.exit_code == 5);
  CHECK(result.seconds < kLimit);
  CHECK(result.err.find("error: " + text) != std::string::npos);
}

}  // namespace

TEST_CASE("rendezvous: --rank, --world-size and --rendezvous make a run") {
  const TempFolder folder;
  write_file(folder / "run.toml", small_config(folder / "run"));
  const auto [first, second] = run_both(folder, "seed_value=0");
  INFO(first.err << second.err);
  CHECK(first.exit_code == 0);
  CHECK(second.exit_code == 0);
  CHECK(second.err.empty());
}

TEST_CASE("rendezvous: ranks with another config are told apart, at once") {
  const TempFolder folder;
  write_file(folder / "run.toml", small_config(folder / "run"));
  const auto [first, second] = run_both(folder, "seed_value=7");
  for (const Result& result : {first, second}) {
    INFO(result.err);
    CHECK(result.exit_code == 5);
    CHECK(result.seconds < kLimit);
  }
  CHECK(first.err.find("rank 1 has another build or config than rank 0: 'seed_value = 0' there, "
                       "'seed_value = 7' here") != std::string::npos);
}

TEST_CASE("rendezvous: a rank that fails before it meets the others ends them with its error") {
  const TempFolder folder;
  write_file(folder / "run.toml", small_config(folder / "run"));
  const std::vector<std::string> good{"distributed.timeout_seconds=40"};
  std::vector<std::string> bad = good;
  bad.push_back("optimizer.num_epochs=-1");
  for (const int failing : {0, 1}) {
    CAPTURE(failing);
    const std::string place = free_place();
    Result second;
    std::thread thread([&] { second = run_rank(folder, 1, 2, place, failing == 1 ? bad : good); });
    const Result first = run_rank(folder, 0, 2, place, failing == 0 ? bad : good);
    thread.join();
    INFO(first.err << second.err);
    CHECK(first.exit_code == 2);
    CHECK(second.exit_code == 2);
    CHECK(std::max(first.seconds, second.seconds) < 20.0);
    CHECK(first.err.find(failing == 1 ? "error: rank 1: command line: 'num_epochs' in [optimizer]"
                                      : "error: command line: 'num_epochs' in [optimizer]") !=
          std::string::npos);
    CHECK(second.err.empty());
  }
}

TEST_CASE("rendezvous: ranks that all fail before they meet each say so, at once") {
  const TempFolder folder;
  write_file(folder / "run.toml", small_config(folder / "run"));
  const std::string place = free_place();
  const std::vector<std::string> bad{"optimizer.num_epochs=-1"};
  Result second;
  std::thread thread([&] { second = run_rank(folder, 1, 2, place, bad); });
  const Result first = run_rank(folder, 0, 2, place, bad);
  thread.join();
  for (const Result& result : {first, second}) {
    INFO(result.err);
    CHECK(result.exit_code == 2);
    CHECK(result.seconds < 15.0);
  }
  CHECK(first.err.find("error: command line: ") != std::string::npos);
}

TEST_CASE("rendezvous: rank 0 names the ranks that did not come within the limit") {
  const TempFolder folder;
  write_file(folder / "run.toml", small_config(folder / "run"));
  const std::string place = free_place();
  const Result result = run_rank(folder, 0, 3, place, {kTwoSeconds});
  check_failed(result, "these ranks did not come to " + place + " within 2 s: 1 2");
  CHECK(result.seconds > 2.0);
}

TEST_CASE("rendezvous: a rank says within the limit that it does not reach rank 0") {
  const TempFolder folder;
  write_file(folder / "run.toml", small_config(folder / "run"));
  const Port silent(Port::State::bound);  // connections to it are refused
  const Result result = run_rank(folder, 1, 2, silent.place(), {kTwoSeconds});
  check_failed(result, "rank 1: rank 0 cannot be reached at " + silent.place() + " within 2 s: ");
  CHECK(result.seconds > 2.0);
}

TEST_CASE("rendezvous: rank 0 says at once that its port is taken") {
  const TempFolder folder;
  write_file(folder / "run.toml", small_config(folder / "run"));
  const Port taken(Port::State::listening);
  const Result result = run_rank(folder, 0, 2, taken.place());
  check_failed(result, "rank 0 cannot listen on " + taken.place() + ": ");
  CHECK(result.err.find("address already in use") != std::string::npos);
}
