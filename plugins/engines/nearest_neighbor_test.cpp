// The vote itself is compared with VISSL's in host/runtime/component_tests; here is what the engine
// asks of the run.
#include <vissl/test.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "temp_folder.hpp"

using vissl::Tensor;
using vissl::test::FakeSplit;
using vissl::test::Host;

namespace {

FakeSplit split(const std::vector<double>& angles, const std::vector<std::int64_t>& labels) {
  std::vector<double> rows, pixels;
  for (const double angle : angles) {
    rows.insert(rows.end(), {std::cos(angle), std::sin(angle)});
    pixels.insert(pixels.end(), {std::sin(angle), std::cos(angle)});
  }
  const auto count = static_cast<std::int64_t>(angles.size());
  FakeSplit out;
  out.features["res5"] = Tensor::of(rows, {count, 2});
  out.features["input"] = Tensor::of(pixels, {count, 2});
  out.features["heads"] = out.features["res5"];
  out.labels = labels;
  out.length = count;
  return out;
}

}  // namespace

TEST_CASE("nearest_neighbor: the baselines use the pixels and a twin with weights of its own") {
  vissl::test::TempFolder folder;
  const std::string path = folder.path().string();
  Host host;
  host.load(VISSL_PLUGIN_DIR "/nearest_neighbor.so");
  host.run.facts.checkpoint_dir = vissl::str(path);
  host.run.splits["train"] = split({0.0, 0.1, 1.5, 1.6}, {0, 0, 1, 1});
  host.run.splits["test"] = split({0.05, 1.55, 0.2, 0.3}, {0, 1, 0, 1});
  const vissl::test::Instance engine =
      host.component("engine", "nearest_neighbor")
          .create("topk = 2\nfeatures = [\"res5\"]\nbaselines = [\"raw_pixels\", \"random_init\"]");
  run_engine(host.run, engine);
  CHECK(host.run.summary.at("knn_top1") == 0.75);
  CHECK(host.run.summary.at("knn_top1_raw_pixels") == 0.75);
  CHECK(host.run.summary.at("knn_top1_random_init") == 0.75);
  CHECK(host.run.summary.at("knn_top5") == 0.0);
  REQUIRE(host.run.twins.size() == 1);
  CHECK(host.run.twins[0]->mode == VISSL_MODE_EVAL);
  CHECK(host.run.twins[0]->state_path.empty());
  REQUIRE(host.run.logs.size() == 3);
  CHECK(host.run.logs[0].second == "layer: res5, topk: 2, images: 4, Top1: 75.00, Top5: 0.00");
  for (const char* layer : {"res5", "raw_pixels", "random_init"}) {
    for (const char* file : {"predictions", "targets", "image_indices"}) {
      CHECK(std::filesystem::exists(folder /
                                    ("kNN_" + std::string(layer) + "_output_" + file + ".npy")));
    }
  }
}

TEST_CASE("nearest_neighbor: without features it takes those of model.feature_eval, or the heads") {
  vissl::test::TempFolder folder;
  const std::string path = folder.path().string();
  Host host;
  host.load(VISSL_PLUGIN_DIR "/nearest_neighbor.so");
  host.run.facts.checkpoint_dir = vissl::str(path);
  host.run.splits["train"] = split({0.0, 1.5}, {0, 1});
  host.run.splits["test"] = split({0.05}, {0});
  host.run.config = vissl::test::parse_toml("[model]\nfeature_eval = { features = [] }");
  run_engine(host.run, host.component("engine", "nearest_neighbor").create("topk = 1"));
  CHECK(std::filesystem::exists(folder / "kNN_heads_output_predictions.npy"));
  host.run.config =
      vissl::test::parse_toml("[model]\nfeature_eval = { features = [{ name = \"res5\" }] }");
  run_engine(host.run, host.component("engine", "nearest_neighbor").create("topk = 1"));
  CHECK(std::filesystem::exists(folder / "kNN_res5_output_predictions.npy"));
}
