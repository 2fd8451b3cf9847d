// The hook ema in whole runs: its values by VISSL's formula, its meters, its
// resume.
#include <doctest/doctest.h>

#include <cmath>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>

#include "host/files/torch_zip_reader.hpp"
#include "process.hpp"
#include "run_files.hpp"
#include "small_config.hpp"
#include "temp_folder.hpp"

using namespace vissl::test;
using vissl::host::DType;
using vissl::host::Node;
namespace fs = std::filesystem;

namespace {

std::string ema_config(const TempFolder& folder, const std::string& name, const std::string& ema) {
  return small_config(folder / name) + "[[hooks]]\nname = \"ema\"\n" + ema +
         "[[hooks]]\nname = \"kill_at\"\nfile = \"" + (folder / "kill").string() + "\"\n";
}

std::vector<float> floats(const Node& tensor) {
  const auto bytes = tensor.as_tensor().packed();
  std::vector<float> out(bytes.size() / sizeof(float));
  std::memcpy(out.data(), bytes.data(), out.size() * sizeof(float));
  return out;
}

}  // namespace

TEST_CASE("ema: the average is VISSL's formula over the weights after each step") {
  const TempFolder folder;
  write_file(folder / "run.toml",
             ema_config(folder, "run", "decay = 0.9\nwarmup = 0.3\nupdate_iter = 2\n"));
  const Result result = run_host(
      run_arguments(folder / "run.toml", {"optimizer.num_epochs=1", "test_model=false",
                                          "checkpoint.iter_frequency=1", "checkpoint.keep=-1"}));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  std::vector<Node> files;  // after 1, 2, … 11 steps
  for (int i = 1; i <= 10; ++i)
    files.push_back(vissl::host::read_torch_zip(
        folder / "run" / ("model_iteration" + std::to_string(i) + ".torch")));
  files.push_back(vissl::host::read_torch_zip(final_checkpoint(folder / "run")));
  const Node& average = files.back().at("vissl_host").at("twins").at("ema_model").at("model");
  int averaged = 0, copied = 0;
  for (const char* part : {"trunk", "heads"}) {
    const auto weights = [&](int i) -> const Node& {
      return files.at(static_cast<std::size_t>(i))
          .at("classy_state_dict")
          .at("base_model")
          .at("model")
          .at(part);
    };
    for (const auto& [key, value] : average.at(part).as_dict().entries()) {
      CAPTURE(vissl::host::to_text(key));
      if (value.as_tensor().dtype != DType::float32) {
        CHECK(
            vissl::host::same_values(value, weights(10).at(key)));  // updated in step 10, the last
        ++copied;
        continue;
      }
      std::vector<double> expected;
      for (int i = 0; i < 11; i += 2) {
        const std::vector<float> now = floats(weights(i).at(key));
        if (i / 11.0 < 0.3) expected.assign(now.begin(), now.end());
        for (std::size_t k = 0; i / 11.0 >= 0.3 && k < now.size(); ++k)
          expected[k] = 0.9 * expected[k] + 0.1 * double{now[k]};
      }
      const std::vector<float> met = floats(value);
      REQUIRE(met.size() == expected.size());
      double worst = 0.0;
      for (std::size_t k = 0; k < met.size(); ++k)
        worst = std::max(
            worst, std::abs(double{met[k]} - expected[k]) / std::max(1.0, std::abs(expected[k])));
      CHECK(worst < 1e-6);
      ++averaged;
    }
  }
  CHECK(averaged > 50);
  CHECK(copied > 10);
}

TEST_CASE(
    "ema: its meters stand beside the run's, and equal them while the "
    "average is the model") {
  const TempFolder folder;
  write_file(folder / "run.toml",
             ema_config(folder, "run", "warmup = 1.0\nenable_ema_meters = true\n"));
  const Result result = run_host(run_arguments(folder / "run.toml"));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  std::istringstream lines(read_file(folder / "run" / "metrics.json"));
  int tests = 0, trains = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto json = nlohmann::json::parse(line);
    if (json.contains("test_accuracy_list_meter")) {
      CHECK(json.at("test_accuracy_list_meter_ema") == json.at("test_accuracy_list_meter"));
      ++tests;
    } else {
      CHECK(json.at("train_accuracy_list_meter_ema").contains("top_1"));
      ++trains;
    }
  }
  CHECK(tests == 3);
  CHECK(trains == 3);
  const Result none = run_host(run_arguments(
      folder / "run.toml", {"meters=[]", "checkpoint.dir=" + (folder / "none").string()}));
  CHECK(none.exit_code == 2);
  CHECK(none.err.find("enable_ema_meters needs at least one of [[meters]]") != std::string::npos);
}

TEST_CASE(
    "ema: kills in fp16 with two batches per step leave average and "
    "meters bit-equal") {
  const TempFolder folder;
  const std::vector<std::string> overrides{"machine.precision=fp16",
                                           "machine.loss_scaling.init_scale=1e8",
                                           "machine.loss_scaling.growth_interval=2",
                                           "optimizer.accumulate_batches=2",
                                           "checkpoint.exact=true",
                                           "checkpoint.iter_frequency=2"};
  const std::string ema = "decay = 0.8\nwarmup = 0.1\nenable_ema_meters = true\n";
  write_file(folder / "whole.toml", ema_config(folder, "whole", ema));
  write_file(folder / "killed.toml", ema_config(folder, "killed", ema));
  const Result whole = run_host(run_arguments(folder / "whole.toml", overrides));
  INFO(whole.err);
  REQUIRE(whole.exit_code == 0);
  for (const int iteration : {3, 9, 17}) {  // 6 steps per epoch
    write_file(folder / "kill", std::to_string(iteration) + " 9\n");
    const Result result = run_host(run_arguments(folder / "killed.toml", overrides));
    INFO("kill at iteration " << iteration << "\n" << result.err);
    REQUIRE(result.signal == SIGKILL);
  }
  fs::remove(folder / "kill");
  const Result last = run_host(run_arguments(folder / "killed.toml", overrides));
  INFO(last.err);
  REQUIRE(last.exit_code == 0);
  CHECK(last.err.find("resuming at iteration 16 of 18 (epoch 2, step 4 of 6)") !=
        std::string::npos);
  CHECK(differences(folder / "whole", folder / "killed") == "");
}
