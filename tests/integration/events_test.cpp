// Which components get which events, in which order, and what a component may do to the run there
// (sdk/include/vissl/events.h, run.h).
#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "process.hpp"
#include "run_files.hpp"
#include "temp_folder.hpp"

using namespace vissl::test;
namespace fs = std::filesystem;

namespace {

// Two train phases of two steps with a test phase of one step after each. `hook`: more keys of the
// first hook.
std::string telling_config(const TempFolder& folder, const std::string& hook = "") {
  const std::string file = "events_file = \"" + (folder / "events.txt").string() + "\"";
  const auto telling = [&](const std::string& name) {
    return "{ name = \"" + name + "\", " + file + " }";
  };
  const std::string split = R"(
data_sources = [{ name = "synthetic", length = 8, size = 16, random_images = true, num_labels = 4 }]
transforms = [{ name = "ToTensor" }]
batchsize_per_replica = )";
  return "[data]\nnum_workers = 0\n[data.train]" + split + "4\n[data.test]" + split +
         "8\n[machine]\nthreads = 1\nprecision = \"fp32\"\n[model]\ntrunk = " +
         telling("telling_trunk") + "\nheads = [" + telling("telling_head") +
         "]\n[loss]\nname = \"telling_loss\"\n" + file +
         "\n[optimizer]\nname = \"telling_optimizer\"\nnum_epochs = 2\n" + file +
         "\n[[hooks]]\nname = \"first_telling_hook\"\n" + file + "\n" + hook +
         "\n[[hooks]]\nname = \"second_telling_hook\"\n" + file + "\n[checkpoint]\ndir = \"" +
         (folder / "run").string() + "\"\n";
}

Result run_telling(const TempFolder& folder, const std::string& hook = "",
                   const std::vector<std::string>& settings = {}) {
  write_file(folder / "run.toml", telling_config(folder, hook));
  return run_host(run_arguments(folder / "run.toml", settings));
}

// The lines "who EVENT", of one component without its name when `who` is given.
std::vector<std::string> told(const TempFolder& folder, const std::string& who = "") {
  std::ifstream in(folder / "events.txt");
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    if (who.empty()) lines.push_back(line);
    if (!who.empty() && line.rfind(who + " ", 0) == 0) lines.push_back(line.substr(who.size() + 1));
  }
  return lines;
}

using Lines = std::vector<std::string>;

Lines join(const std::vector<Lines>& parts) {
  Lines all;
  for (const Lines& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

const Lines kTrainStep = {"FORWARD", "LOSS_AND_METER", "BACKWARD", "UPDATE", "STEP"};
const Lines kTestPhase = {"PHASE_START", "FORWARD", "LOSS_AND_METER", "STEP", "PHASE_END"};

}  // namespace

TEST_CASE("events: each goes to loss, optimizer, trunk, head and hooks, in that order") {
  const TempFolder folder;
  const Result result = run_telling(folder);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const Lines phase = join({{"PHASE_START"}, kTrainStep, kTrainStep, {"PHASE_END"}, kTestPhase});
  const Lines expected = join({{"START"}, phase, phase, {"END"}});
  Lines all;
  for (const std::string& event : expected)
    for (const char* who : {"loss", "optimizer", "trunk", "head", "first", "second"})
      all.push_back(who + (" " + event));
  CHECK(told(folder) == all);
}

TEST_CASE("events: with two batches per step, forward and loss come twice and the rest once") {
  const TempFolder folder;
  const Result result = run_telling(
      folder, "", {"optimizer.accumulate_batches=2", "optimizer.num_epochs=1", "test_model=false"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(told(folder, "second") == Lines{"START", "PHASE_START", "FORWARD", "LOSS_AND_METER",
                                        "FORWARD", "LOSS_AND_METER", "BACKWARD", "UPDATE", "STEP",
                                        "PHASE_END", "END"});
}

TEST_CASE(
    "events: a failing run tells all components, and its own error is the one that is shown") {
  const TempFolder folder;
  const Result result = run_telling(folder, "fail_at = 2");
  INFO(result.err);
  CHECK(result.exit_code == 1);
  CHECK(result.err.find("hooks[0] (first_telling_hook): it was told to fail") != std::string::npos);
  const Lines lines = told(folder);
  REQUIRE(lines.size() > 7);
  // The hook failed before the second one got the event.
  CHECK(Lines(lines.end() - 7, lines.end()) ==
        Lines{"first STEP", "loss EXCEPTION", "optimizer EXCEPTION", "trunk EXCEPTION",
              "head EXCEPTION", "first EXCEPTION", "second EXCEPTION"});
}

TEST_CASE("events: a component stops the run with its own exit code, and the run is saved") {
  const TempFolder folder;
  const Result result = run_telling(folder, "stop_at = 1\nexit_code = 9");
  INFO(result.err);
  CHECK(result.exit_code == 9);
  CHECK(result.err.find("stopped after iteration 1: it was told to") != std::string::npos);
  CHECK(told(folder, "second") == join({{"START", "PHASE_START"}, kTrainStep}));
  CHECK(fs::exists(folder / "run/model_iteration1.torch"));
  const auto summary = nlohmann::json::parse(read_file(folder / "run/summary.json"));
  CHECK(summary.at("finished") == false);

  // The same command goes on where it stopped.
  const Result again = run_telling(folder, "exit_code = 9");
  CHECK(again.exit_code == 0);
  CHECK(again.err.find("resuming at iteration 1 of 4") != std::string::npos);
}

TEST_CASE("events: a stop with exit code 0 ends the run as if it were done") {
  const TempFolder folder;
  const Result result = run_telling(folder, "stop_at = 3");
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK(result.err.find("stopped after iteration 3: it was told to") != std::string::npos);
}
