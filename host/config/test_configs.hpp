#pragma once
// For tests: a folder of config files, and the fixture plugins' catalogue.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "host/config/resolve.hpp"
#include "host/config/schema.hpp"
#include "host/plugin/catalogue.hpp"
#include "host/plugin/search_path.hpp"

namespace vissl::host {

class TestConfigs {
 public:
  TestConfigs()
      : folder_(std::filesystem::temp_directory_path() /
                ("vissl_configs_" + std::to_string(::getpid()))),
        places_{VISSL_TEST_PLUGIN_DIR "/fixture"},
        catalogue_(places_, discover_plugins(places_), own_declarations(), services_) {
    std::filesystem::create_directories(folder_);
  }
  ~TestConfigs() { std::filesystem::remove_all(folder_); }
  TestConfigs(const TestConfigs&) = delete;
  TestConfigs& operator=(const TestConfigs&) = delete;

  std::string write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  // The text with the folder's own name taken out of it.
  std::string plain(std::string text) const {
    for (std::size_t at = 0; (at = text.find(folder_.string() + "/", at)) != std::string::npos;)
      text.erase(at, folder_.string().size() + 1);
    return text;
  }
  ResolvedConfig resolve(const std::vector<std::string>& files,
                         const std::vector<std::string>& settings = {}) {
    return resolve_config(files, settings, catalogue_);
  }
  PluginCatalogue& catalogue() { return catalogue_; }

 private:
  std::filesystem::path folder_;
  std::vector<std::string> places_;
  HostServices services_;
  PluginCatalogue catalogue_;
};

// A config that passes: one split, a trunk, a chained head, a loss, an optimizer.
inline const std::string kGoodConfig = R"(seed_value = 1
[data.train]
data_sources = [{ name = "synthetic", num_samples = 64 }]
transforms = [
  { name = "ImgReplicatePil", num_times = 2 },
  { name = "RandomResizedCrop", size = 32 },
  { name = "Normalize", mean = [0.5, 0.5, 0.5], std = [0.2, 0.2, 0.2], indices = [0] },
]
collator = { name = "simclr_collator" }
batchsize_per_replica = 16
[model]
trunk = { name = "resnet", depth = 18 }
heads = [[{ name = "mlp", dims = [512, 512], use_relu = true }, { name = "mlp", dims = [512, 128] }]]
[loss]
name = "simclr_info_nce_loss"
temperature = 0.5
[optimizer]
name = "sgd"
num_epochs = 3
[optimizer.param_schedulers.lr]
name = "cosine"
update_interval = "step"
start_value = 1
)";

}  // namespace vissl::host
