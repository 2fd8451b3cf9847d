// Precisions and steps of several batches, in whole runs.
#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "process.hpp"
#include "run_files.hpp"
#include "small_config.hpp"
#include "temp_folder.hpp"

using namespace vissl::test;
namespace fs = std::filesystem;

namespace {

// A finished run of the small config without tests in its own folder.
fs::path run(const TempFolder& folder, const std::string& name,
             std::vector<std::string> overrides) {
  const fs::path config = folder / (name + ".toml");
  write_file(config, small_config(folder / name));
  overrides.insert(overrides.begin(), {"test_model=false", "optimizer.num_epochs=2"});
  const Result result = run_host(run_arguments(config, overrides));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  return folder / name;
}

// Lines of stdout.json.
std::vector<nlohmann::json> steps_of(const fs::path& run) {
  std::vector<nlohmann::json> out;
  std::istringstream lines(read_file(run / "stdout.json"));
  for (std::string line; std::getline(lines, line);) out.push_back(nlohmann::json::parse(line));
  return out;
}

}  // namespace

TEST_CASE("accumulation: batches added up equal one large batch, also the last, smaller ones") {
  const TempFolder folder;
  // Group norm: batch norm sees each batch by itself. 44 samples: 32 and 12, or 4 times 8, 8 and 4.
  const std::vector<std::string> common = {
      "machine.precision=fp64",         "model.trunk.norm=GroupNorm",
      "model.trunk.groupnorm_groups=2", "data.train.data_sources[0].length=44",
      "data.train.drop_last=false",     "hooks=[{ name = \"grad_clip\", max_norm = 0.5 }]"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), common.begin(), common.end());
    return more;
  };
  const fs::path large = run(folder, "large", with({"data.train.batchsize_per_replica=32"}));
  const fs::path small = run(folder, "small", with({"optimizer.accumulate_batches=4"}));
  CHECK(largest_difference(large, small) < 1e-10);
  const auto left = steps_of(large), right = steps_of(small);
  REQUIRE(left.size() == 4);
  REQUIRE(right.size() == 4);
  for (std::size_t i = 0; i < left.size(); ++i) {
    CHECK(left[i]["iter"] == right[i]["iter"]);
    CHECK(left[i]["lr"] == right[i]["lr"]);
    CHECK(left[i]["loss"].get<double>() == doctest::Approx(right[i]["loss"].get<double>()));
  }
  const fs::path other = run(folder, "other", with({"optimizer.accumulate_batches=3"}));
  CHECK(largest_difference(large, other) > 1e-6);
}

TEST_CASE("fp16: the loss is scaled, a step with infinite gradients is skipped, the scale moves") {
  const TempFolder folder;
  const fs::path scaled = run(folder, "fp16",
                              {"machine.precision=fp16", "machine.loss_scaling.init_scale=1e8",
                               "machine.loss_scaling.growth_interval=2"});
  const auto steps = steps_of(scaled);
  int shrunk = 0, grown = 0;
  for (std::size_t i = 1; i < steps.size(); ++i) {
    const double before = steps[i - 1]["loss_scale"], now = steps[i]["loss_scale"];
    CHECK((now == before || now == 2 * before || now == before / 2));
    shrunk += now < before ? 1 : 0;
    grown += now > before ? 1 : 0;
  }
  CHECK(shrunk >= 3);
  CHECK(grown >= 1);
}

TEST_CASE("precision: losses of bf16 and fp16 stay within 5 % of those of fp32 on average") {
  const TempFolder folder;
  // Group norm: with batch norm over eight tiny images any rounding grows from step to step.
  const std::vector<std::string> calm = {
      "model.trunk.norm=GroupNorm", "model.trunk.groupnorm_groups=2",
      "machine.loss_scaling.init_scale=1024", "optimizer.param_schedulers.lr.start_value=0.01"};
  const auto with = [&](const std::string& precision) {
    std::vector<std::string> all = calm;
    all.push_back("machine.precision=" + precision);
    return all;
  };
  const auto exact = steps_of(run(folder, "fp32", with("fp32")));
  for (const std::string precision : {"bf16", "fp16"}) {
    CAPTURE(precision);
    const auto rounded = steps_of(run(folder, precision, with(precision)));
    REQUIRE(rounded.size() == exact.size());
    double difference = 0.0;  // mean of the steps' relative differences
    for (std::size_t i = 0; i < exact.size(); ++i) {
      const double wanted = exact[i]["loss"], met = rounded[i]["loss"];
      difference += std::abs(met - wanted) / wanted / static_cast<double>(exact.size());
      CHECK(std::abs(met - wanted) < 0.2 * wanted);
    }
    CAPTURE(difference);
    CHECK(difference < 0.05);
    CHECK(difference > 0.0);
  }
}

TEST_CASE("recompute: crops of two sizes give the same run bit for bit, with less memory") {
  const TempFolder folder;
  std::int64_t peak[2] = {};
  for (const bool on : {false, true}) {
    const std::string name = on ? "again" : "kept";
    write_file(folder / (name + ".toml"), small_config(folder / name));
    const Result result = run_host(run_arguments(
        folder / (name + ".toml"),
        {"test_model=false", "optimizer.num_epochs=1", "data.train.data_sources[0].length=16",
         "model.trunk.width_multiplier=0.25", "model.heads[0].dims=[128, 4]",
         "data.train.collator={ name = \"multicrop_collator\" }",
         "data.train.transforms=[{ name = \"ImgPilToMultiCrop\", total_num_crops = 5, "
         "num_crops = [2, 3], size_crops = [96, 48], crop_scales = [[0.5, 1.0], [0.2, 0.5]] }, "
         "{ name = \"ToTensor\" }]",
         std::string("model.activation_checkpointing.use_activation_checkpointing=") +
             (on ? "true" : "false")}));
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    peak[on ? 1 : 0] = result.peak_bytes;
  }
  CHECK(differences(folder / "kept", folder / "again") == "");
  CAPTURE(peak[0] >> 20);
  CAPTURE(peak[1] >> 20);
  CHECK(peak[1] < peak[0] - (std::int64_t{24} << 20));
}

TEST_CASE("channels_last: the layout changes rounding at most") {
  const TempFolder folder;
  const std::vector<std::string> plain = {"machine.precision=fp64", "model.trunk.norm=GroupNorm",
                                          "model.trunk.groupnorm_groups=2"};
  std::vector<std::string> last = plain;
  last.push_back("machine.channels_last=true");
  CHECK(largest_difference(run(folder, "plain", plain), run(folder, "last", last)) < 1e-9);
}
