// The ABI's hard corners in real runs: each plugin of tests/abi_spikes checks itself and fails the
// run when a corner is not as it needs it. summary.json tells that it did.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "host/files/torch_zip_reader.hpp"
#include "process.hpp"
#include "run_files.hpp"
#include "spike_config.hpp"
#include "temp_folder.hpp"

using namespace vissl::test;
namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

Result run_spike(const TempFolder& folder, const Spike& spike, const std::string& name = "run",
                 int ranks = 1, const std::vector<std::string>& overrides = {}) {
  const fs::path config = folder / (name + ".toml");
  write_file(config, spike_config(spike, folder / name, ranks));
  const Result result =
      run_host(spike_arguments(config, ranks, overrides), {}, std::chrono::seconds(60));
  INFO(result.err);
  CHECK(result.exit_code == 0);
  return result;
}

Json summary(const TempFolder& folder, const std::string& name = "run") {
  return Json::parse(read_file(folder / name / "summary.json"));
}

// Runs the spike on one rank; it has to make at least `checks` checks.
void check_spike(const Spike& spike, int checks, int ranks = 1) {
  const TempFolder folder;
  run_spike(folder, spike, "run", ranks);
  const Json values = summary(folder);
  REQUIRE(values.contains("spike_checks"));
  CHECK(values["spike_checks"].get<int>() >= checks);
}

Spike dino() {
  Spike spike;
  spike.transforms = crops(2, 2);
  spike.collator = "multicrop_collator";
  spike.trunk = "{ name = \"spike_drop_path\", drop_path_rate = 0.5 }";
  spike.heads = "{ name = \"mlp\", dims = [8, 8] }";
  spike.loss = "name = \"spike_dino\"";
  return spike;
}
Spike deepcluster() {
  Spike spike;
  spike.transforms =
      "{ name = \"ImgPilToMultiCrop\", total_num_crops = 2, num_crops = [2], "
      "size_crops = [16], crop_scales = [[0.5, 1.0]] }, { name = \"ToTensor\" }";
  spike.collator = "multicrop_collator";
  spike.loss = "name = \"spike_deepcluster\"";
  return spike;
}
Spike npid() {
  Spike spike;
  spike.transforms = kTwoViews;
  spike.collator = "spike_two_views";
  spike.data = "input_key_names = [\"data\", \"data_momentum\"]\n";
  spike.heads = "{ name = \"mlp\", dims = [32, 8] }, { name = \"mlp\", dims = [32, 8] }";
  spike.loss = "name = \"spike_npid\"";
  spike.more =
      "[[model.inputs]]\nkey = \"data\"\nfeatures = [\"res5avg\"]\nhead = 0\n"
      "[[model.inputs]]\nkey = \"data_momentum\"\nfeatures = [\"res5avg\"]\nhead = 1\n";
  return spike;
}
Spike ibot() {
  Spike spike;
  spike.transforms = crops(2, 2) + ", { name = \"spike_random_mask\" }";
  spike.collator = "spike_masking_collator";
  spike.trunk = "{ name = \"spike_tokens\" }";
  spike.heads = "{ name = \"spike_token_head\" }";
  spike.loss = "name = \"spike_ibot\"";
  spike.more =
      "[[model.inputs]]\nkey = \"global_views\"\nfeatures = [\"tokens\"]\nextra = [\"mask\"]\n"
      "[[model.inputs]]\nkey = \"local_views\"\nfeatures = [\"tokens\"]\n";
  spike.data = "input_key_names = [\"global_views\", \"local_views\"]\n";
  return spike;
}

Spike barlow() {
  Spike spike;
  spike.transforms = kTwoViews;
  spike.collator = "simclr_collator";
  spike.loss = "name = \"spike_barlow\"";
  return spike;
}
Spike clip() {
  Spike spike;
  spike.hooks = "{ name = \"spike_clip\" }";
  return spike;
}
Spike custom_backward() {
  Spike spike;
  spike.heads = "{ name = \"mlp\", dims = [32, 4] }";
  spike.loss = "name = \"spike_custom_backward\"";
  return spike;
}
// Crops of two sizes: two passes of the trunk per step.
Spike two_sizes(const std::string& hooks) {
  Spike spike;
  spike.transforms = crops(1, 1);
  spike.collator = "multicrop_collator";
  spike.hooks = hooks;
  return spike;
}
constexpr const char* kRecompute =
    "model.activation_checkpointing.use_activation_checkpointing=true";

// The same gradients with and without recomputation, to the accuracy of float64.
void check_recompute(int ranks, std::vector<std::string> settings = {}) {
  const TempFolder folder;
  const Spike spike = two_sizes("{ name = \"spike_recompute\" }");
  settings.push_back("machine.precision=fp64");
  run_spike(folder, spike, "kept", ranks, settings);
  settings.push_back(kRecompute);
  run_spike(folder, spike, "again", ranks, settings);
  const Json kept = summary(folder, "kept"), again = summary(folder, "again");
  constexpr int kBlocks = 8, kSizes = 2, kSteps = 8;
  CHECK(kept["single_runs"].get<int>() == kBlocks * kSizes * kSteps);
  CHECK(kept["first_runs"].get<int>() == 0);
  CHECK(again["first_runs"].get<int>() == kBlocks * kSizes * kSteps);
  CHECK(again["second_runs"].get<int>() == kBlocks * kSizes * kSteps);
  CHECK(again["single_runs"].get<int>() == 0);
  for (int step = 0; step < kSteps; ++step) {
    const std::string key = "grad_norm_" + std::to_string(step);
    const double a = kept[key].get<double>(), b = again[key].get<double>();
    CHECK(a > 0.0);
    CHECK(std::abs(a - b) <= 1e-9 * a);
  }
}

// Parameters that exist during their block only change no bit of the run.
void check_sharded(int ranks) {
  const TempFolder folder;
  run_spike(folder, two_sizes(""), "whole", ranks, {kRecompute});
  run_spike(folder, two_sizes("{ name = \"spike_sharded\" }"), "sharded", ranks, {kRecompute});
  CHECK(summary(folder, "sharded")["spike_checks"].get<int>() > 300);
  CHECK(differences(folder / "whole", folder / "sharded") == "");
}

}  // namespace

TEST_CASE("spike SwAV: a queue per rank, its scores before the loss, prototypes of unit length") {
  check_spike(swav(), 40);
}

TEST_CASE("spike MoCo: a key encoder, a queue, batches shuffled over the ranks") {
  check_spike(moco(), 30);
}

TEST_CASE("spike DINO: a teacher with another drop path, a centre, schedules") {
  check_spike(dino(), 30);
}

TEST_CASE("spike DeepCluster v2: banks filled before the first epoch, k-means over the ranks") {
  check_spike(deepcluster(), 30);
}

TEST_CASE("spike NPID and PIRL: a memory as large as the dataset, alias sampling, two heads") {
  check_spike(npid(), 20);
}

TEST_CASE("spike iBOT: a transform's mask reaches the batch, the trunk and the loss") {
  check_spike(ibot(), 30);
}

TEST_CASE("spike EMA: parameters and statistics are averaged by the formula") {
  Spike spike;
  spike.hooks = "{ name = \"spike_ema\" }";
  check_spike(spike, 500);
}

TEST_CASE("spike Barlow Twins: statistics with gradient, each parameter gets 1/W of the gradient") {
  const TempFolder folder;
  run_spike(folder, barlow(), "run", 1, {"machine.precision=fp64"});
  CHECK(summary(folder)["spike_checks"].get<int>() >= 24);
}

TEST_CASE("spike distillation: a wider teacher with weights of its own sees the student's batch") {
  const TempFolder folder;
  const std::string wide =
      "{ name = \"resnet\", depth = 18, width_multiplier = 0.125, stem_kernel = 3, stem_stride = "
      "1, "
      "stem_pool = false }";
  Spike teacher;
  teacher.trunk = wide;
  teacher.heads = "{ name = \"mlp\", dims = [64, 8] }";
  run_spike(folder, teacher, "teacher", 1, {"optimizer.num_epochs=1"});
  Spike spike;
  spike.loss = "name = \"spike_distillation\"\n[loss.teacher]\ntrunk = " + wide +
               "\nheads = [{ name = \"mlp\", dims = [64, 8] }]\n[loss.teacher.weights_init]\n"
               "name = \"pretrained\"\nparams_file = \"" +
               (folder / "teacher" / "checkpoint.torch").string() + "\"\n";
  run_spike(folder, spike, "student");
  const auto saved = vissl::host::read_torch_zip(final_checkpoint(folder / "teacher"))
                         .at("classy_state_dict")
                         .at("base_model")
                         .at("model")
                         .at("trunk")
                         .at("_feature_blocks.conv1.weight")
                         .as_tensor();
  const std::vector<std::byte> bytes = saved.packed();
  double sum = 0.0;
  for (std::size_t i = 0; i < bytes.size(); i += sizeof(float)) {
    float value = 0;
    std::memcpy(&value, &bytes[i], sizeof value);
    sum += static_cast<double>(value) * static_cast<double>(value);
  }
  const Json values = summary(folder, "student");
  CHECK(values["teacher_norm"].get<double>() == doctest::Approx(std::sqrt(sum)).epsilon(1e-6));
  CHECK(values["spike_checks"].get<int>() > 20);

  // A teacher with a head that the file lacks is refused.
  const std::string head = "heads = [{ name = \"mlp\", dims = [64, 8] }";
  spike.loss.replace(spike.loss.find(head), head.size(),
                     head + ", { name = \"mlp\", dims = [8, 4] }");
  write_file(folder / "lacking.toml", spike_config(spike, folder / "lacking", 1));
  const Result refused = run_host(spike_arguments(folder / "lacking.toml", 1));
  CHECK(refused.exit_code == 2);
  INFO(refused.err);
  CHECK(refused.err.find("2 tensors of the model are not in it: heads.1.clf.0.weight, "
                         "heads.1.clf.0.bias") != std::string::npos);
}

TEST_CASE("spike clipping: gradients are unscaled and reduced; a hook scales the learning rate") {
  const TempFolder folder;
  run_spike(folder, clip(), "plain");
  CHECK(summary(folder, "plain")["spike_checks"].get<int>() > 300);
  run_spike(folder, clip(), "scaled", 1, {"machine.precision=fp16"});
  CHECK(summary(folder, "scaled")["spike_checks"].get<int>() > 100);
}

TEST_CASE("spike own backward: saved tensors, and a parameter that belongs to the loss") {
  check_spike(custom_backward(), 40);
}

TEST_CASE("spike recomputation at two resolutions: equal gradients, statistics once") {
  check_recompute(1);
}

TEST_CASE("spike sharding: parameters live between the two ends of a block, and no bit changes") {
  check_sharded(1);
}

TEST_CASE("spike probe: an engine trains and runs neighbours on a third split between the epochs") {
  const TempFolder folder;
  Spike spike;
  spike.top = "engine = { name = \"spike_probe\" }\n";
  spike.heads = "{ name = \"mlp\", dims = [32, 4] }";
  for (const char* split : {"test", "probe"})
    spike.more +=
        std::string("[data.") + split +
        "]\ndata_sources = [{ name = \"synthetic\", length = 13, size = 16, random_images "
        "= true, num_labels = 4 }]\nbatchsize_per_replica = 8\n"
        "transforms = [{ name = \"ToTensor\" }]\n";
  run_spike(folder, spike);
  CHECK(summary(folder)["spike_checks"].get<int>() >= 8);
  CHECK(summary(folder)["finished"].get<bool>());
  const std::string metrics = read_file(folder / "run" / "metrics.json");
  CHECK(metrics.find("\"probe_seen\":{\"phases\":4}") != std::string::npos);
  int probes = 0;
  for (std::size_t at = 0; (at = metrics.find("\"probe_knn\"", at)) != std::string::npos; ++at)
    ++probes;
  CHECK(probes == 2);
}

TEST_CASE("a twin that is made in START has its state again after a stop: bits equal") {
  const TempFolder folder;
  Spike spike = moco();
  spike.hooks = "{ name = \"kill_at\", file = \"" + (folder / "when").string() + "\" }";
  run_spike(folder, spike, "calm");
  write_file(folder / "when", "5 15");
  const fs::path config = folder / "stopped.toml";
  write_file(config, spike_config(spike, folder / "stopped", 1));
  const Result stopped = run_host(spike_arguments(config, 1), {}, std::chrono::seconds(60));
  INFO(stopped.err);
  REQUIRE(stopped.exit_code == 75);
  fs::remove(folder / "when");
  run_spike(folder, spike, "stopped");
  CHECK(differences(folder / "calm", folder / "stopped") == "");
}

TEST_CASE("two ranks: the spikes of one rank hold, and what all ranks share stays equal") {
  const struct {
    const char* name;
    Spike spike;
    int checks;
  } spikes[] = {{"swav", swav(), 40}, {"moco", moco(), 30},
                {"dino", dino(), 30}, {"deepcluster", deepcluster(), 30},
                {"npid", npid(), 20}, {"ibot", ibot(), 30},
                {"clip", clip(), 30}, {"backward", custom_backward(), 40}};
  for (const auto& [name, spike, checks] : spikes) {
    INFO(name);
    check_spike(spike, checks, 2);
  }
}

TEST_CASE("two ranks: Barlow Twins' gradient is 1/W of the joined one") {
  const TempFolder folder;
  run_spike(folder, barlow(), "run", 2, {"machine.precision=fp64"});
  CHECK(summary(folder)["spike_checks"].get<int>() >= 24);
}

TEST_CASE(
    "two ranks: recomputation at two resolutions with joined statistics gives equal gradients") {
  check_recompute(2, {"model.sync_bn.convert_bn_to_sync_bn=true"});
}

TEST_CASE("two ranks: parameters in shards give the same bits as whole ones") {
  check_sharded(2);
}
