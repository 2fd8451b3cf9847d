// Keys of the config that change what a run does and that no other test looks at.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "host/files/torch_zip_reader.hpp"
#include "process.hpp"
#include "run_files.hpp"
#include "small_config.hpp"
#include "temp_folder.hpp"

using namespace vissl::test;
using vissl::host::Node;
namespace fs = std::filesystem;

namespace {

// Runs small_config with `settings` in a folder of the name `run`.
Result run_small(const TempFolder& folder, const std::string& run,
                 const std::vector<std::string>& settings) {
  write_file(folder / (run + ".toml"), small_config(folder / run));
  Result result = run_host(run_arguments(folder / (run + ".toml"), settings));
  INFO(result.err);
  CHECK(result.exit_code == 0);
  return result;
}

std::vector<nlohmann::json> phases(const fs::path& run) {
  std::vector<nlohmann::json> lines;
  std::istringstream in(read_file(run / "metrics.json"));
  for (std::string line; std::getline(in, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

}  // namespace

TEST_CASE(
    "settings: temp_frozen_params keep their values for so many steps, then they are trained") {
  const TempFolder folder;
  run_small(folder, "run",
            {"model.temp_frozen_params=[{ name = \"trunk.*conv1.weight\", iterations = 4 }]",
             "checkpoint.iter_frequency=2", "checkpoint.keep=-1", "optimizer.num_epochs=1",
             "test_model=false"});
  const auto saved = [&](const std::string& file) {
    return vissl::host::read_torch_zip(folder / ("run/" + file));
  };
  const auto weights = [](const Node& file, const std::string& name) {
    return file.at("classy_state_dict").at("base_model").at("model").at("trunk").at(name);
  };
  const Node second = saved("model_iteration2.torch"), fourth = saved("model_iteration4.torch"),
             last = saved("model_final_checkpoint_phase0.torch");
  const std::string frozen = "_feature_blocks.conv1.weight", other = "_feature_blocks.bn1.weight";
  CHECK(vissl::host::same_values(weights(second, frozen), weights(fourth, frozen)));
  CHECK_FALSE(vissl::host::same_values(weights(fourth, frozen), weights(last, frozen)));
  CHECK_FALSE(vissl::host::same_values(weights(second, other), weights(fourth, other)));
}

TEST_CASE("settings: without the training meter only test phases are measured") {
  const TempFolder folder;
  run_small(folder, "run", {"metering.enable_training_meter=false", "optimizer.num_epochs=1"});
  run_small(folder, "both", {"optimizer.num_epochs=1"});
  const auto measured = [&](const std::string& run) {
    std::string found;
    for (const nlohmann::json& phase : phases(folder / run))
      for (const auto& [key, value] : phase.items())
        if (key.find("accuracy_list_meter") != std::string::npos) found += key + " ";
    return found;
  };
  CHECK(measured("run") == "test_accuracy_list_meter ");
  CHECK(measured("both") == "train_accuracy_list_meter test_accuracy_list_meter ");
}

TEST_CASE("settings: a test counts each image once, or pads the ranks as VISSL does") {
  const TempFolder folder;
  // Three images on two ranks: VISSL's sampler gives one of them to both.
  const auto loss = [&](const std::string& run, const std::vector<std::string>& more) {
    std::vector<std::string> settings = {"test_only=true", "data.test.drop_last=false",
                                         "data.test.batchsize_per_replica=2"};
    settings.insert(settings.end(), more.begin(), more.end());
    write_file(folder / (run + ".toml"), small_config(folder / run));
    std::vector<std::string> arguments = run_arguments(folder / (run + ".toml"), settings);
    const Result result = run_host(arguments);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    std::istringstream csv(read_file(folder / (run + "/metrics.csv")));
    std::string line;
    while (std::getline(csv, line) && line.find(",loss,") == std::string::npos) {
    }
    REQUIRE(!line.empty());
    return std::stod(line.substr(line.rfind(',') + 1));
  };
  const auto source = [](int length) {
    return "data.test.data_sources=[{ name = \"synthetic\", length = " + std::to_string(length) +
           ", size = 16, random_images = true, num_labels = 4 }]";
  };
  const double one = loss("one", {source(1)}), two = loss("two", {source(2)});
  const double alone = loss("alone", {source(3)});
  const double once = loss("once", {source(3), "--nproc", "2"});
  const double padded = loss("padded", {source(3), "--nproc", "2", "data.test.sampling=vissl"});
  CHECK(once == doctest::Approx(alone).epsilon(1e-6));
  const double twice = 4.0 * padded - 3.0 * alone;  // the loss of the image that counts twice
  double nearest = 1.0;
  for (const double image : {one, 2.0 * two - one, 3.0 * alone - 2.0 * two})
    nearest = std::min(nearest, std::abs(image - twice));
  CHECK(nearest < 1e-5);
  CHECK(std::abs(padded - once) > 1e-4);
}

TEST_CASE("settings: env.json says what the process resolved and which plugins the run uses") {
  const TempFolder folder;
  run_small(folder, "run", {"optimizer.num_epochs=1", "seed_value=5", "test_model=false"});
  const auto env = nlohmann::json::parse(read_file(folder / "run/env.json"));
  CHECK(env.at("threads") == 1);
  CHECK(env.at("precision") == "fp32");
  CHECK(env.at("seed") == 5);
  CHECK(env.at("ranks") == 1);
  CHECK(env.at("device") == "cpu");
  CHECK(env.at("deterministic") == true);
  bool found = false;
  for (const auto& plugin : env.at("plugins")) {
    CHECK_FALSE(plugin.at("version").get<std::string>().empty());
    CHECK(fs::exists(plugin.at("file").get<std::string>()));
    found = found || plugin.at("id") == "org.vissl.trunks.resnet";
    CHECK(plugin.at("id") != "org.vissl.heads.swav_head");  // not named, so not used
  }
  CHECK(found);
}
