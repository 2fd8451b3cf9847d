// A run that is killed at any moment and started again ends exactly as one that was never
// disturbed.
#include <doctest/doctest.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <random>
#include <set>
#include <utility>

#include "process.hpp"
#include "run_files.hpp"
#include "small_config.hpp"
#include "temp_folder.hpp"

using namespace vissl::test;
namespace fs = std::filesystem;

namespace {

constexpr int kStepsPerEpoch = 11, kSteps = 33;

// The small config with a hook that raises the signal which `kill_file` names.
fs::path write_config(const TempFolder& folder, const std::string& name) {
  const fs::path config = folder / (name + ".toml");
  write_file(config,
             small_config(folder / name) +
                 "[[hooks]]\nname = \"tensorboard\"\n[[hooks]]\nname = \"kill_at\"\nfile = \"" +
                 (folder / "kill").string() + "\"\n");
  return config;
}

void undisturbed(const TempFolder& folder, const std::vector<std::string>& overrides) {
  fs::remove(folder / "kill");
  const Result result = run_host(run_arguments(write_config(folder, "whole"), overrides));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
}

// Kills at each of `iterations` in turn, then lets the run end. Every resumed process must say that
// it began inside an epoch.
void killed_at(const TempFolder& folder, const std::vector<int>& iterations,
               const std::vector<std::string>& overrides) {
  const fs::path config = write_config(folder, "killed");
  int resumed_inside = 0;
  bool first = true;
  for (const int iteration : iterations) {
    write_file(folder / "kill", std::to_string(iteration) + " 9\n");
    const Result result = run_host(run_arguments(config, overrides));
    INFO("kill at iteration " << iteration << "\n" << result.err);
    REQUIRE(result.signal == SIGKILL);
    if (std::exchange(first, false)) continue;
    const auto at = result.err.find("resuming at iteration ");
    REQUIRE(at != std::string::npos);
    const int from = std::stoi(result.err.substr(at + 22));
    CHECK((from % 3 == 0 ||
           from % kStepsPerEpoch == 0));  // every third step, and the end of each epoch
    resumed_inside += from % kStepsPerEpoch != 0 ? 1 : 0;
  }
  fs::remove(folder / "kill");
  const Result last = run_host(run_arguments(config, overrides));
  INFO(last.err);
  REQUIRE(last.exit_code == 0);
  CHECK(resumed_inside == static_cast<int>(iterations.size()) - 1);
  CHECK(differences(folder / "whole", folder / "killed") == "");
}

// `count` different iterations in rising order, none at a multiple of 3, where a checkpoint is due,
// and none where the last one is that of an epoch's end: every resume begins inside an epoch.
std::vector<int> random_iterations(int count, unsigned seed) {
  std::mt19937 random(seed);
  std::set<int> chosen;
  while (static_cast<int>(chosen.size()) < count) {
    const int i = 4 + static_cast<int>(random() % (kSteps - 5));
    const int last_multiple = i - i % 3, last_end = (i - 1) / kStepsPerEpoch * kStepsPerEpoch;
    if (i % 3 != 0 && last_multiple > last_end) chosen.insert(i);
  }
  return {chosen.begin(), chosen.end()};
}

}  // namespace

TEST_CASE("resume: ten kills at random steps without workers leave the run bit-equal") {
  const TempFolder folder;
  const std::vector<std::string> overrides{"data.num_workers=0"};
  undisturbed(folder, overrides);
  killed_at(folder, random_iterations(10, 1), overrides);
}

TEST_CASE(
    "resume: ten kills at random steps with four workers leave the run bit-equal to one without "
    "workers") {
  const TempFolder folder;
  undisturbed(folder, {"data.num_workers=0"});
  killed_at(folder, random_iterations(10, 2), {"data.num_workers=4"});
}

TEST_CASE("resume: ten kills at random steps in bf16 leave the run bit-equal") {
  const TempFolder folder;
  const std::vector<std::string> overrides{"data.num_workers=1", "machine.precision=bf16"};
  undisturbed(folder, overrides);
  killed_at(folder, random_iterations(10, 3), overrides);
}

TEST_CASE("resume: kills after random times leave the run bit-equal") {
  const TempFolder folder;
  fs::remove(folder / "kill");
  const Result whole = run_host(run_arguments(write_config(folder, "whole")));
  REQUIRE(whole.exit_code == 0);
  const fs::path config = write_config(folder, "killed");
  const unsigned seed = std::random_device()();
  MESSAGE("the delays' seed is ", seed);
  std::mt19937 random(seed);
  int kills = 0;
  for (int attempt = 0; attempt < 8; ++attempt) {
    const auto delay = std::chrono::duration<double>(
        std::uniform_real_distribution<double>(0.0, whole.seconds)(random));
    const auto started = std::chrono::steady_clock::now();
    const Result result = run_host(run_arguments(config), [&](pid_t pid) {
      if (std::chrono::steady_clock::now() - started < delay) return false;
      ::kill(pid, SIGKILL);
      return true;
    });
    INFO("seed " << seed << ", attempt " << attempt << "\n" << result.err);
    if (result.exit_code == 0) break;
    REQUIRE(result.signal == SIGKILL);
    ++kills;
  }
  INFO("seed " << seed);
  const Result last = run_host(run_arguments(config));
  INFO(last.err);
  REQUIRE(last.exit_code == 0);
  CHECK(kills > 0);
  CHECK(differences(folder / "whole", folder / "killed") == "");
}

TEST_CASE(
    "resume: kills while a checkpoint is being written lose at most the work since the last one") {
  const TempFolder folder;
  undisturbed(folder, {});
  const fs::path config = write_config(folder, "killed");
  fs::create_directories(folder / "killed");
  std::mt19937 random(4);
  int during_save = 0;
  for (int attempt = 0; attempt < 10; ++attempt) {
    const int watch = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    ::inotify_add_watch(watch, (folder / "killed").c_str(), IN_CREATE);
    int saves_to_skip = static_cast<int>(random() % 2);
    const Result result = run_host(run_arguments(config), [&](pid_t pid) {
      alignas(inotify_event) char buffer[4096];
      for (ssize_t n; (n = ::read(watch, buffer, sizeof buffer)) > 0;) {
        for (ssize_t at = 0; at < n;) {
          const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
          const std::string name = event->len > 0 ? event->name : "";
          at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
          if (name.find("model_") == std::string::npos ||
              name.find(".partial") == std::string::npos)
            continue;
          if (saves_to_skip-- > 0) continue;
          ::kill(pid, SIGKILL);
          return true;
        }
      }
      return false;
    });
    ::close(watch);
    INFO(result.err);
    if (result.exit_code == 0) break;
    REQUIRE(result.signal == SIGKILL);
    ++during_save;
  }
  CHECK(during_save >= 5);
  const Result last = run_host(run_arguments(config));
  INFO(last.err);
  REQUIRE(last.exit_code == 0);
  CHECK(differences(folder / "whole", folder / "killed") == "");
  for (const auto& entry : fs::directory_iterator(folder / "killed")) {
    CHECK_MESSAGE(entry.path().string().find(".partial") == std::string::npos,
                  entry.path().string());
  }
}

TEST_CASE(
    "resume: SIGTERM, SIGUSR1, SIGUSR2 and one SIGINT save and exit with 75; the run goes on "
    "bit-equal") {
  const TempFolder folder;
  undisturbed(folder, {});
  const fs::path config = write_config(folder, "killed");
  int iteration = 4;
  for (const int number : {SIGTERM, SIGUSR1, SIGUSR2, SIGINT}) {
    write_file(folder / "kill", std::to_string(iteration) + " " + std::to_string(number) + "\n");
    const Result result = run_host(run_arguments(config));
    INFO(result.err);
    CHECK(result.exit_code == 75);
    CHECK(result.err.find("saved at iteration " + std::to_string(iteration)) != std::string::npos);
    CHECK(fs::exists(folder / "killed" / "checkpoint.torch"));
    iteration += 7;
  }
  fs::remove(folder / "kill");
  REQUIRE(run_host(run_arguments(config)).exit_code == 0);
  CHECK(differences(folder / "whole", folder / "killed") == "");
}

TEST_CASE("resume: a finished run says so and exits with 0, and overwrite_existing trains anew") {
  const TempFolder folder;
  undisturbed(folder, {});
  const fs::path config = folder / "whole.toml";
  const auto written = fs::last_write_time(final_checkpoint(folder / "whole"));
  const Result again = run_host(run_arguments(config));
  INFO(again.err);
  CHECK(again.exit_code == 0);
  CHECK(again.err.find("this run is finished") != std::string::npos);
  CHECK(fs::last_write_time(final_checkpoint(folder / "whole")) == written);
  const Result anew = run_host(run_arguments(config, {"checkpoint.overwrite_existing=true"}));
  CHECK(anew.exit_code == 0);
  CHECK(fs::last_write_time(final_checkpoint(folder / "whole")) != written);
}

TEST_CASE("resume: a run that trains anew over a finished one resumes itself, not the old one") {
  const TempFolder folder;
  undisturbed(folder, {});
  const fs::path config = folder / "whole.toml";
  write_file(folder / "kill", "4 15\n");
  const Result stopped = run_host(run_arguments(config, {"checkpoint.overwrite_existing=true"}));
  INFO(stopped.err);
  CHECK(stopped.exit_code == 75);
  CHECK_FALSE(fs::exists(folder / "whole" / "model_final_checkpoint_phase2.torch"));
  fs::remove(folder / "kill");
  const Result resumed = run_host(run_arguments(config, {"checkpoint.overwrite_existing=true"}));
  INFO(resumed.err);
  CHECK(resumed.exit_code == 0);
  CHECK(resumed.err.find("resuming at iteration 4 of") != std::string::npos);
  CHECK(read_file(folder / "whole" / "summary.json").find("train_seconds") != std::string::npos);
}

TEST_CASE("resume: an older checkpoint can be chosen, and the newer ones step aside") {
  const TempFolder folder;
  fs::remove(folder / "kill");
  const fs::path config = write_config(folder, "whole");
  write_file(folder / "kill", "8 9\n");
  REQUIRE(run_host(run_arguments(config)).signal == SIGKILL);
  fs::remove(folder / "kill");
  const Result back = run_host(run_arguments(config, {"checkpoint.resume_file_num=2"}));
  INFO(back.err);
  CHECK(back.exit_code == 0);
  CHECK(back.err.find("resuming at iteration 3 of") != std::string::npos);
  CHECK(fs::exists(folder / "whole" / "model_iteration6.torch.set_aside"));
}
