// Every plugin that we ship passes check-plugin; what cannot be judged is listed here.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "host/data/pixel/encode_png.hpp"
#include "host/data/pixel/image.hpp"
#include "process.hpp"
#include "temp_folder.hpp"

using namespace vissl::test;
namespace fs = std::filesystem;

namespace {

// The plugins of the folders plugins/KIND.
std::vector<std::string> shipped(const std::vector<std::string>& kinds) {
  std::vector<std::string> files;
  for (const std::string& kind : kinds)
    for (const auto& entry :
         fs::directory_iterator(fs::path(VISSL_SOURCE_DIR) / "plugins" / kind)) {
      const std::string name = entry.path().stem().string();
      if (!name.ends_with("_test") && (entry.is_directory() || entry.path().extension() == ".cpp"))
        files.push_back((fs::path(VISSL_PLUGIN_DIR) / (name + ".so")).string());
    }
  std::sort(files.begin(), files.end());
  REQUIRE(!files.empty());
  return files;
}

// Judges the plugins; nothing but the checks in `skipped` ("component check") may be left out.
void check_shipped(const std::vector<std::string>& files, const std::set<std::string>& skipped = {},
                   const std::vector<std::string>& settings = {}) {
  std::vector<std::string> arguments = {"check-plugin", "--json"};
  arguments.insert(arguments.end(), files.begin(), files.end());
  arguments.insert(arguments.end(), settings.begin(), settings.end());
  const Result result = run_host(arguments);
  INFO(result.err);
  CHECK(result.exit_code == 0);
  const nlohmann::json plugins = nlohmann::json::parse(result.out).at("plugins");
  CHECK(plugins.size() == files.size());
  std::set<std::string> left_out;
  for (const auto& plugin : plugins)
    for (const auto& check : plugin.at("checks")) {
      const std::string outcome = check.at("outcome");
      CAPTURE(plugin.at("path"));
      CAPTURE(check.dump());
      CHECK(outcome != "fail");
      if (outcome == "skipped")
        left_out.insert(check.at("component").get<std::string>() + " " +
                        check.at("check").get<std::string>());
    }
  for (const std::string& check : left_out) CHECK_MESSAGE(skipped.contains(check), check);
  for (const std::string& check : skipped) CHECK_MESSAGE(left_out.contains(check), check);
}

}  // namespace

TEST_CASE("shipped plugins: transforms pass check-plugin") {
  check_shipped(shipped({"transforms"}), {}, {"transform/ImgPilMultiCropRandomApply.prob=[1.0]"});
}

TEST_CASE("shipped plugins: data sources pass check-plugin") {
  const TempFolder folder;
  for (const char* name : {"a/1.png", "a/2.png", "b/3.png"}) {
    fs::create_directories((folder / name).parent_path());
    const auto png = vissl::host::pixel::encode_png(vissl::host::pixel::Pixels(6, 5, 3, 90));
    write_file(folder / name, {reinterpret_cast<const char*>(png.data()), png.size()});
  }
  std::vector<std::string> files = shipped({"data_sources"});
  const std::string unjudged = (fs::path(VISSL_PLUGIN_DIR) / "torchvision_dataset.so").string();
  files.erase(std::find(files.begin(), files.end(), unjudged));
  check_shipped(files, {}, {"data_source/disk_folder.path=\"" + (folder / "").string() + "\""});
  // Its files have formats that only they are made for; its own tests write them.
  const std::string subject = "data_source/torchvision_dataset ";
  check_shipped({unjudged}, {subject + "reads", subject + "create", subject + "memory_of_instances",
                             subject + "undeclared", subject + "unread", subject + "bad_values"});
}

TEST_CASE("shipped plugins: collators, samplers and schedules pass check-plugin") {
  check_shipped(shipped({"collators", "samplers", "lr_schedules"}));
}

TEST_CASE("shipped plugins: losses pass check-plugin") {
  check_shipped(shipped({"losses"}));
}

TEST_CASE("shipped plugins: heads pass check-plugin") {
  check_shipped(shipped({"heads"}));
}

TEST_CASE("shipped plugins: trunks pass check-plugin") {
  const std::string vit = "trunk/vision_transformer.", regnet = "trunk/regnet.";
  check_shipped(
      shipped({"trunks"}), {},
      {"trunk/resnet.depth=18", vit + "image_size=32", vit + "patch_size=8", vit + "num_layers=2",
       vit + "hidden_dim=32", vit + "num_heads=4", vit + "mlp_dim=64", vit + "drop_path_rate=0.5",
       regnet + "depth=3", regnet + "w_0=8", regnet + "w_a=8.0", regnet + "w_m=2.0",
       regnet + "group_width=8"});
}

TEST_CASE("shipped plugins: optimizers, parameter groups and meters pass check-plugin") {
  check_shipped(shipped({"optimizers", "param_groups", "meters"}));
}

TEST_CASE("shipped plugins: hooks, engines and weights pass check-plugin") {
  check_shipped(shipped({"hooks", "engines", "weights"}), {},
                {"weights/pretrained.params_file=\"absent.torch\""});
}

TEST_CASE("shipped plugins: weights formats pass check-plugin") {
  check_shipped(shipped({"weights_formats"}));
}

TEST_CASE("shipped plugins: weights schemes pass check-plugin") {
  check_shipped(shipped({"weights_schemes"}), {},
                {"weights_scheme/minio.endpoint=\"127.0.0.1\"",
                 "weights_scheme/oss.endpoint=\"oss-cn-beijing.aliyuncs.com\""});
}
