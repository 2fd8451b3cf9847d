// Whole runs of the engines and of the model's ways through a batch, on images that need no files.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>

#include "host/files/npy.hpp"
#include "host/files/torch_zip_reader.hpp"
#include "process.hpp"
#include "run_files.hpp"
#include "small_config.hpp"
#include "temp_folder.hpp"

using namespace vissl::test;
using vissl::host::DType;
using vissl::host::TensorRef;
namespace fs = std::filesystem;

namespace {

fs::path trained(const TempFolder& folder) {
  const fs::path config = folder / "train.toml";
  write_file(config, small_config(folder / "run"));
  const Result result = run_host(run_arguments(config, {"optimizer.num_epochs=1"}));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  return config;
}

// A config beside train.toml that extends it and takes its weights.
fs::path evaluation(const TempFolder& folder, const std::string& more) {
  const fs::path config = folder / "eval.toml";
  write_file(config, "extends = [\"train.toml\"]\n" + more +
                         "\n[model.weights_init]\nname = \"pretrained\"\nparams_file = "
                         "\"run/checkpoint.torch\"\n");
  return config;
}

template <class T>
std::vector<T> values_of(const TensorRef& tensor) {
  const std::vector<std::byte> bytes = tensor.packed();
  std::vector<T> out(bytes.size() / sizeof(T));
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

}  // namespace

TEST_CASE(
    "extract_features: VISSL's files, float32, every sample once in dataset order, the same for "
    "any number of workers") {
  const TempFolder folder;
  trained(folder);
  const fs::path config = evaluation(
      folder, "engine = { name = \"extract_features\", output_dir = \"" +
                  (folder / "features").string() +
                  "\" }\n[model.feature_eval]\neval_mode_on = true\nfreeze_trunk_only = true\n"
                  "extract_trunk_features_only = true\n"
                  "features = [{ name = \"res4\", pool = \"AdaptiveAvgPool2d\", args = [[2, 2]] }, "
                  "{ name = \"res5avg\", pool = \"Identity\" }]\n");
  std::string first;
  for (const char* workers : {"data.num_workers=0", "data.num_workers=4"}) {
    const Result result = run_host(run_arguments(config, {workers}));
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    const fs::path file = folder / "features" / "rank0_chunk0_test_res4_features.npy";
    if (first.empty()) first = read_file(file);
    CHECK(read_file(file) == first);
  }
  for (const auto& [split, rows] : {std::pair{"train", 88}, std::pair{"test", 24}}) {
    for (const auto& [layer, width] : {std::pair{"res4", 64}, std::pair{"res5avg", 32}}) {
      const std::string stem = std::string("rank0_chunk0_") + split + "_" + layer + "_";
      const TensorRef features =
          vissl::host::read_npy(folder / "features" / (stem + "features.npy"));
      CHECK(features.dtype == DType::float32);
      CHECK(features.shape == std::vector<std::int64_t>{rows, width});
      const auto indices =
          values_of<std::int64_t>(vissl::host::read_npy(folder / "features" / (stem + "inds.npy")));
      const auto targets = values_of<std::int64_t>(
          vissl::host::read_npy(folder / "features" / (stem + "targets.npy")));
      REQUIRE(static_cast<int>(indices.size()) == rows);
      for (std::size_t i = 0; i < indices.size(); ++i) {
        CHECK(indices[i] == static_cast<std::int64_t>(i));
        CHECK(targets[i] == static_cast<std::int64_t>(i % 4));
      }
    }
  }
}

TEST_CASE(
    "nearest_neighbor: accuracies of the trunk, of random weights and of pixels reach summary.json "
    "as fractions") {
  const TempFolder folder;
  trained(folder);
  const fs::path config = evaluation(
      folder,
      "[engine]\nname = \"nearest_neighbor\"\ntopk = [5]\nsigma = 0.07\nl2_norm_feats = true\n"
      "features = [{ name = \"res5avg\" }]\nbaselines = [\"random_init\", \"raw_pixels\"]\n");
  const Result result = run_host(run_arguments(config));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const auto summary = nlohmann::json::parse(read_file(folder / "run" / "summary.json"));
  for (const char* key : {"knn_top1", "knn_top1_random_init", "knn_top1_raw_pixels"}) {
    REQUIRE(summary.contains(key));
    const double fraction = summary[key].get<double>();
    CHECK(fraction >= 0.0);
    CHECK(fraction <= 1.0);
    CHECK(std::abs(fraction * 24.0 - std::round(fraction * 24.0)) < 1e-9);  // of 24 test images
  }
  CHECK(summary.contains("train_seconds"));  // what the training run wrote stays
}

TEST_CASE(
    "linear evaluation: the frozen trunk keeps its bits and its statistics, the heads learn, each "
    "feature is metered") {
  const TempFolder folder;
  trained(folder);
  const fs::path config = evaluation(
      folder,
      "[checkpoint]\ndir = \"" + (folder / "linear").string() +
          "\"\n[model]\nheads = [{ name = \"eval_mlp\", in_channels = 64, dims = [64, 4] }, "
          "{ name = \"eval_mlp\", in_channels = 32, dims = [32, 4] }]\n"
          "[model.feature_eval]\neval_mode_on = true\nfreeze_trunk_only = true\n"
          "features = [{ name = \"res4\", pool = \"AdaptiveAvgPool2d\", args = [[2, 2]] }, "
          "{ name = \"res5avg\", pool = \"Identity\" }]\n");
  const Result result = run_host(run_arguments(config));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const auto model = [](const fs::path& run, const char* part) {
    return vissl::host::read_torch_zip(final_checkpoint(run))
        .at("classy_state_dict")
        .at("base_model")
        .at("model")
        .at(part);
  };
  const auto before = model(folder / "run", "trunk"), after = model(folder / "linear", "trunk");
  for (const auto& [key, value] : before.as_dict().entries()) {
    const std::string name = vissl::host::to_text(key);
    const auto* kept = after.find("base_model." + name);
    REQUIRE_MESSAGE(kept != nullptr, name);
    if (name.find("num_batches_tracked") == std::string::npos) {
      CHECK_MESSAGE(vissl::host::same_values(*kept, value), name);
    } else {  // skip_layers leaves this counter out of the weights, and a trunk in eval mode at 0
      CHECK_MESSAGE(values_of<std::int64_t>(kept->as_tensor()) == std::vector<std::int64_t>{0},
                    name);
    }
  }
  const auto heads = model(folder / "linear", "heads");
  CHECK(heads.find(std::string("1.clf.clf.0.weight")) != nullptr);
  std::vector<double> losses;  // of each step
  std::istringstream lines(read_file(folder / "linear" / "stdout.json"));
  for (std::string line; std::getline(lines, line);)
    losses.push_back(nlohmann::json::parse(line).at("loss").get<double>());
  REQUIRE(losses.size() == 33);
  const auto epoch_mean = [&](int epoch) {
    const auto begin = losses.begin() + 11 * epoch;
    return std::accumulate(begin, begin + 11, 0.0) / 11.0;
  };
  CHECK(epoch_mean(2) < epoch_mean(0));
  CHECK(read_file(folder / "linear" / "metrics.json").find("\"res5avg\"") != std::string::npos);
}

TEST_CASE(
    "multi-crop: crops of two sizes go through the trunk by size, and every crop reaches the "
    "loss") {
  const TempFolder folder;
  const fs::path config = folder / "crops.toml";
  write_file(config, small_config(folder / "run"));
  const Result result = run_host(run_arguments(
      config, {"optimizer.num_epochs=1", "test_model=false",
               "data.train.collator={ name = \"multicrop_collator\" }",
               "data.train.transforms=[{ name = \"ImgPilToMultiCrop\", total_num_crops = 5, "
               "num_crops = [2, 3], size_crops = [16, 8], "
               "crop_scales = [[0.5, 1.0], [0.2, 0.5]] }, { name = \"ToTensor\" }]"}));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(result.err.find("trained epoch 1/1: loss ") != std::string::npos);
  CHECK(fs::exists(folder / "run" / "views.png"));
}

TEST_CASE("check: everything up to one step, and no file is left behind") {
  const TempFolder folder;
  const fs::path config = folder / "run.toml";
  write_file(config, small_config(folder / "run"));
  std::vector<std::string> arguments = run_arguments(config);
  arguments.insert(arguments.begin(), "check");
  const Result result = run_host(arguments);
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK(result.err.find("check passed: model with ") != std::string::npos);
  CHECK_FALSE(fs::exists(folder / "run"));
}

TEST_CASE("runs with the same seed are equal, runs with another seed are not") {
  const TempFolder folder;
  const fs::path config = folder / "run.toml";
  for (const char* name : {"a", "b", "c"}) {
    write_file(config, small_config(folder / name));
    const std::string seed = std::string("seed_value=") + (*name == 'c' ? "1" : "0");
    REQUIRE(run_host(run_arguments(config, {"optimizer.num_epochs=1", seed})).exit_code == 0);
  }
  CHECK(differences(folder / "a", folder / "b") == "");
  CHECK(differences(folder / "a", folder / "c") != "");
}

TEST_CASE("test_only: a test needs no optimizer, and an evaluation without weights says so") {
  const TempFolder folder;
  trained(folder);
  const fs::path config = folder / "test.toml";
  std::string text = small_config(folder / "tested");
  const auto optimizer = text.find("[optimizer]"), meters = text.find("[[meters]]");
  write_file(config, "test_only = true\n" + text.substr(0, optimizer) + text.substr(meters));
  const Result tested = run_host(run_arguments(config));
  INFO(tested.err);
  CHECK(tested.exit_code == 0);
  CHECK(tested.err.find("testing 24 samples") != std::string::npos);
  CHECK(read_file(folder / "tested" / "metrics.json").find("test_accuracy_list_meter") !=
        std::string::npos);
  const fs::path features = folder / "features.toml";
  write_file(features, "extends = [\"train.toml\"]\nengine = { name = \"extract_features\" }\n");
  const Result random = run_host(run_arguments(features));
  INFO(random.err);
  CHECK(random.exit_code == 0);
  CHECK(random.err.find("random initial weights") != std::string::npos);
}
