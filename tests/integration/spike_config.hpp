#pragma once
// Configs of runs with the plugins of tests/abi_spikes.
#include <filesystem>
#include <string>
#include <vector>

#include "process.hpp"

namespace vissl::test {

inline constexpr const char* kTrunk =
    "{ name = \"resnet\", depth = 18, width_multiplier = 0.0625, stem_kernel = 3, stem_stride = 1, "
    "stem_pool = false }";

inline constexpr const char* kTwoViews =
    "{ name = \"ImgReplicatePil\", num_times = 2 }, { name = \"RandomResizedCrop\", size = 16 }, "
    "{ name = \"RandomHorizontalFlip\" }, { name = \"ToTensor\" }";
inline constexpr const char* kOneView =
    "{ name = \"RandomResizedCrop\", size = 16 }, { name = \"ToTensor\" }";

inline std::string crops(int large, int small) {
  return "{ name = \"ImgPilToMultiCrop\", total_num_crops = " + std::to_string(large + small) +
         ", num_crops = [" + std::to_string(large) + ", " + std::to_string(small) +
         "], size_crops = [16, 8], crop_scales = [[0.5, 1.0], [0.2, 0.5]] }, { name = \"ToTensor\" "
         "}";
}

struct Spike {
  std::string transforms = kOneView, collator = "default_collate";
  std::string trunk = kTrunk, heads = "{ name = \"mlp\", dims = [32, 8] }";
  std::string loss = "name = \"cross_entropy_multiple_output_single_target\"";
  std::string hooks, data, more,
      top;  // further keys of [data.train], tables, keys before all tables
};

// 32 images, 4 steps of 8 per epoch over all ranks, 2 epochs.
inline std::string spike_config(const Spike& spike, const std::filesystem::path& dir, int ranks) {
  return spike.top + "\nlog_frequency = 1\nhooks = [" + spike.hooks +
         "]\n[data]\nnum_workers = 0\n[data.train]\n"
         "data_sources = [{ name = \"synthetic\", length = 32, size = 16, random_images = true, "
         "num_labels = 4 }]\nbatchsize_per_replica = " +
         std::to_string(8 / ranks) + "\ndrop_last = true\ntransforms = [" + spike.transforms +
         "]\ncollator = { name = \"" + spike.collator + "\" }\n" + spike.data +
         "[machine]\nthreads = 1\nprecision = \"fp32\"\n[model]\ntrunk = " + spike.trunk +
         "\nheads = [" + spike.heads + "]\n[loss]\n" + spike.loss +
         "\n[optimizer]\nname = \"sgd\"\nnum_epochs = 2\nmomentum = 0.9\n"
         "[optimizer.param_schedulers.lr]\nname = \"constant\"\nvalue = 0.02\n[checkpoint]\ndir = "
         "\"" +
         dir.string() + "\"\n" + spike.more;
}

inline Spike swav() {
  Spike spike;
  spike.transforms = crops(2, 2);
  spike.collator = "multicrop_collator";
  spike.heads = "{ name = \"swav_head\", dims = [32, 8], use_bn = false, num_clusters = [12] }";
  spike.loss = "name = \"spike_swav\"";
  return spike;
}
inline Spike moco() {
  Spike spike;
  spike.transforms = kTwoViews;
  spike.collator = "spike_two_views";
  spike.loss = "name = \"spike_moco\"";
  return spike;
}

// What run_arguments gives, with the spikes among the plugins and `ranks` processes.
inline std::vector<std::string> spike_arguments(const std::filesystem::path& config, int ranks,
                                                const std::vector<std::string>& overrides = {}) {
  std::vector<std::string> arguments = run_arguments(config, overrides);
  arguments.insert(arguments.begin(), {"--plugins", VISSL_TEST_PLUGIN_DIR "/abi_spikes"});
  if (ranks > 1) arguments.insert(arguments.begin(), {"--nproc", std::to_string(ranks)});
  return arguments;
}

}  // namespace vissl::test
