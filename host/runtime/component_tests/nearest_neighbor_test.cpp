// The engine nearest_neighbor against VISSL's vote (scripts/oracle/knn.py), over a run that serves
// vectors instead of a model's features.
#include <doctest/doctest.h>
#include <vissl/engine.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

#include "host/runtime/abi/handle.hpp"
#include "host/runtime/component_tests/component_host.hpp"
#include "tests/temp_folder.hpp"

using namespace vissl::host;
using namespace vissl::host::test;

namespace {

struct Images {
  std::map<std::string, at::Tensor> features;  // (N, …)
  std::vector<std::int64_t> labels;            // empty = the split has none
};

// Serves the functions of vissl.run/1 that the engine uses; batches of 7.
struct FakeRun {
  std::map<std::string, Images> splits;
  std::map<std::string, double> summary;
  std::vector<std::string> lines;
  std::string folder;
  std::unique_ptr<vissl::test::Node> config =
      vissl::test::parse_toml("[model]\nfeature_eval = { features = [] }");

  static FakeRun& of(vissl_run* run) { return *reinterpret_cast<FakeRun*>(run); }
  vissl_run* handle() { return reinterpret_cast<vissl_run*>(this); }
};

void serve(FakeRun& run, const vissl_pass& pass) {
  const Images& images = run.splits.at(text(pass.split));
  const std::int64_t count = images.features.begin()->second.size(0);
  for (std::int64_t start = 0; start < count; start += 7) {
    const std::int64_t rows = std::min<std::int64_t>(7, count - start);
    std::vector<at::Tensor> outputs;
    std::vector<std::int64_t> indices;
    for (std::uint64_t i = 0; i < pass.feature_count; ++i)
      outputs.push_back(images.features.at(text(pass.features[i])).narrow(0, start, rows));
    // Dataset positions with gaps, as after a data limit.
    for (std::int64_t i = 0; i < rows; ++i) indices.push_back(1000 + 2 * (start + i));
    const std::vector<vissl_tensor*> handles = borrow_all(outputs);
    const vissl_pass_batch batch{sizeof batch,
                                 handles.data(),
                                 handles.size(),
                                 indices.data(),
                                 images.labels.empty() ? nullptr : images.labels.data() + start,
                                 static_cast<std::uint64_t>(rows),
                                 nullptr,
                                 nullptr};
    vissl::call(pass.on_batch, pass.ctx, &batch);
  }
}

const vissl_run_api& fake_run_api() {
  static const vissl_run_api api = [] {
    vissl_run_api table{};
    table.size = sizeof table;
    table.facts = [](vissl_run* run, vissl_run_facts* out) {
      const std::string& folder = FakeRun::of(run).folder;
      *out = plain_facts();
      out->checkpoint_dir = {folder.data(), folder.size()};
    };
    table.config = [](vissl_run* run) { return FakeRun::of(run).config->handle(); };
    table.log = [](vissl_run* run, std::uint32_t, vissl_str line) {
      FakeRun::of(run).lines.push_back(text(line));
    };
    table.summary = [](vissl_run* run, vissl_str key, double value) {
      FakeRun::of(run).summary[text(key)] = value;
    };
    table.split_length = [](vissl_run* run, vissl_str split) -> std::int64_t {
      const auto found = FakeRun::of(run).splits.find(text(split));
      return found == FakeRun::of(run).splits.end()
                 ? -1
                 : found->second.features.begin()->second.size(0);
    };
    table.pass = [](vissl_run* run, const vissl_pass* pass, vissl_err* err) {
      return vissl::guarded(err, [&] { serve(FakeRun::of(run), *pass); });
    };
    return table;
  }();
  return api;
}

at::Tensor rows_of(std::int64_t count, double seed, const std::vector<std::int64_t>& labels) {
  const at::Tensor centres = wave({7, 9}, 100.0);
  return wave({count, 9}, seed) + 1.2 * centres.index_select(0, at::tensor(labels, at::kLong));
}

struct Setup {
  Setup() {
    host.service(VISSL_RUN_ID, &fake_run_api());
    const auto train_labels = file.at("train_labels").get<std::vector<std::int64_t>>();
    const auto test_labels = file.at("test_labels").get<std::vector<std::int64_t>>();
    run.splits["train"] = {{{"res5", rows_of(60, 0.0, train_labels)}}, train_labels};
    run.splits["test"] = {{{"res5", rows_of(23, 50.0, test_labels)}}, test_labels};
    run.folder = folder.path().string();
  }
  void engine(const std::string& toml) {
    const Instance instance = host.create("engine", "nearest_neighbor", toml);
    vissl::call(instance.table<vissl_engine_class>(VISSL_ENGINE_ID).run, instance.handle(),
                run.handle());
  }
  // The i64 values of an npy file whose header names `shape`.
  std::vector<std::int64_t> npy(const std::string& name, const std::string& shape) {
    std::ifstream in(folder.path() / name, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), {});
    REQUIRE(bytes.size() > 128);
    CHECK(bytes.substr(0, 8) == std::string("\x93NUMPY\x01\x00", 8));
    const std::size_t header =
        10 + static_cast<unsigned char>(bytes[8]) + 256 * static_cast<unsigned char>(bytes[9]);
    CHECK(header % 64 == 0);
    CHECK(bytes.substr(10, header - 10)
              .find("'descr': '<i8', 'fortran_order': False, 'shape': " + shape) !=
          std::string::npos);
    std::vector<std::int64_t> values((bytes.size() - header) / sizeof(std::int64_t));
    std::memcpy(values.data(), bytes.data() + header, values.size() * sizeof(std::int64_t));
    return values;
  }

  nlohmann::json file = golden("knn.json");
  vissl::test::TempFolder folder;
  ComponentHost host;
  FakeRun run;
};

}  // namespace

TEST_CASE("nearest_neighbor: rankings and accuracies equal VISSL's vote") {
  Setup setup;
  for (const auto& [name, expected] : setup.file.at("cases").items()) {
    CAPTURE(name);
    setup.engine("topk = " + expected.at("k").dump() + "\nsigma = " + expected.at("sigma").dump() +
                 "\nl2_norm_feats = " + (expected.at("unit").get<bool>() ? "true" : "false") +
                 "\nfeatures = [\"res5\"]");
    std::vector<std::int64_t> order;
    for (const auto& row : expected.at("order"))
      for (const auto& label : row) order.push_back(label.get<std::int64_t>());
    CHECK(setup.npy("kNN_res5_output_predictions.npy", "(23, 7)") == order);
    CHECK(setup.run.summary.at("knn_top1") ==
          doctest::Approx(expected.at("top1").get<double>()).epsilon(1e-12));
    CHECK(setup.run.summary.at("knn_top5") ==
          doctest::Approx(expected.at("top5").get<double>()).epsilon(1e-12));
  }
  CHECK(setup.npy("kNN_res5_output_targets.npy", "(23, 1)") == setup.run.splits.at("test").labels);
  const auto positions = setup.npy("kNN_res5_output_image_indices.npy", "(23,)");
  CHECK(positions.front() == 0);
  CHECK(positions.back() == 22);
  for (const auto& entry : std::filesystem::directory_iterator(setup.folder.path()))
    CHECK(entry.path().extension() == ".npy");
}

TEST_CASE(
    "nearest_neighbor: several features and numbers of neighbours have results of their own") {
  Setup setup;
  for (auto& [split, images] : setup.run.splits) {
    const at::Tensor x = images.features.at("res5");
    // Pooled to 1x1, the maps are the vectors again.
    images.features["map"] = x.reshape({-1, 9, 1, 1}).expand({-1, 9, 4, 4}).contiguous();
    images.features["input"] = -x;
  }
  setup.engine(
      "topk = [5, 20]\nl2_norm_feats = true\nbaselines = [\"raw_pixels\"]\n"
      "features = [\"res5\", { name = \"map\", pool = \"AdaptiveAvgPool2d\", args = [[1, 1]] }]");
  const auto& summary = setup.run.summary;
  CHECK(summary.at("knn_top1") == summary.at("knn_top1_res5_k5"));
  CHECK(summary.at("knn_top1_map_k5") == summary.at("knn_top1_res5_k5"));
  CHECK(summary.at("knn_top1_map_k20") == summary.at("knn_top1_res5_k20"));
  // All signs turned: the same similarities.
  CHECK(summary.at("knn_top1_raw_pixels") == summary.at("knn_top1"));
  CHECK(setup.run.lines.size() == 6);
  char line[120];
  std::snprintf(line, sizeof line, "layer: res5, topk: 5, images: 23, Top1: %.2f, Top5: %.2f",
                100 * summary.at("knn_top1"), 100 * summary.at("knn_top5"));
  CHECK(setup.run.lines.front() == line);
}

TEST_CASE("nearest_neighbor: a window that slides over a constant map changes nothing") {
  Setup setup;
  for (auto& [split, images] : setup.run.splits) {
    images.features["map"] =
        images.features.at("res5").reshape({-1, 9, 1, 1}).expand({-1, 9, 4, 4});
  }
  const std::string common = "topk = 5\nl2_norm_feats = true\n";
  setup.engine(common + "features = [\"res5\"]");
  const double top1 = setup.run.summary.at("knn_top1");
  setup.engine(common +
               "features = [{ name = \"map\", pool = \"AvgPool2d\", args = [[2, 2], 2] }]");
  CHECK(setup.run.summary.at("knn_top1") == top1);
  setup.engine(common + "features = [{ name = \"map\", pool = \"MaxPool2d\", args = [2] }]");
  CHECK(setup.run.summary.at("knn_top1") == top1);
}

TEST_CASE("nearest_neighbor: unnormalised features and a small sigma do not overflow") {
  Setup setup;
  for (auto& [split, images] : setup.run.splits) images.features.at("res5").mul_(1000);
  setup.engine("topk = 5\nsigma = 0.01\nfeatures = [\"res5\"]");
  const double top1 = setup.run.summary.at("knn_top1");
  CHECK(top1 > 0.2);
  // The nearest image outvotes all others.
  setup.engine("topk = 1\nfeatures = [\"res5\"]");
  CHECK(setup.run.summary.at("knn_top1") == top1);
}

TEST_CASE("nearest_neighbor: fewer than five classes have no top five") {
  Setup setup;
  for (auto& [split, images] : setup.run.splits)
    for (std::int64_t& label : images.labels) label %= 3;
  setup.engine("topk = 5\nfeatures = [\"res5\"]");
  CHECK(setup.run.summary.at("knn_top5") == 0.0);
}

TEST_CASE("nearest_neighbor: what cannot work is one sentence") {
  Setup setup;
  CHECK(error_text([&] { setup.engine("topk = 61\nfeatures = [\"res5\"]"); }) ==
        "topk = 61 neighbours were asked for, but the split 'train' has only 60 images");
  CHECK(error_text([&] {
          setup.engine("topk = 0");
        }).find("topk needs one or more numbers of at least 1") != std::string::npos);
  CHECK(error_text([&] {
          setup.engine("features = [{ name = \"res5\", pool = \"GeM\" }]");
        }).find("unknown pool 'GeM'") != std::string::npos);
  CHECK(error_text([&] {
          setup.engine("features = [{ nom = \"res5\" }]");
        }).find("unknown key 'nom' of a feature; it has name, pool and args") != std::string::npos);
  CHECK(error_text([&] {
          setup.engine(
              "features = [{ name = \"res5\", pool = \"AdaptiveAvgPool2d\", args = [[1, "
              "1]] }]");
        }) ==
        "feature 'res5' has 2 dimensions, so it cannot be pooled; leave out its pool (a pool of "
        "model.feature_eval acts already)");
  setup.run.folder = "/nowhere/at/all";
  CHECK(error_text([&] { setup.engine("topk = 5\nfeatures = [\"res5\"]"); }) ==
        "cannot write '/nowhere/at/all/kNN_res5_output_predictions.npy'; is the disk full, or the "
        "folder read-only?");
  setup.run.splits.at("test").features.at("res5")[3][0] = std::nan("");
  CHECK(error_text([&] { setup.engine("topk = 5\nfeatures = [\"res5\"]"); }) ==
        "the features are not finite, so no image is nearest; look at the weights");
  setup.run.splits.at("train").labels.clear();
  CHECK(error_text([&] { setup.engine("topk = 5\nfeatures = [\"res5\"]"); }) ==
        "the split 'train' has no class labels, but neighbours vote for classes");
}
