// Runs of several ranks that are killed with more at stake than weights: a queue that each rank has
// of its own, a momentum encoder, an averaged model, the scale of an fp16 loss.
#include <doctest/doctest.h>

#include <cstring>

#include "host/files/torch_zip_reader.hpp"
#include "process.hpp"
#include "run_files.hpp"
#include "spike_config.hpp"
#include "temp_folder.hpp"

using namespace vissl::test;
using vissl::host::Node;
namespace fs = std::filesystem;

namespace {

const std::vector<std::string> kHalfPrecision{
    "machine.precision=fp16", "machine.loss_scaling.growth_interval=2",
    "checkpoint.iter_frequency=2", "checkpoint.exact=true", "distributed.stall_seconds=20"};

Result run_ranks(const TempFolder& folder, const Spike& spike, const std::string& name, int ranks,
                 const std::vector<std::string>& more) {
  const fs::path config = folder / (name + ".toml");
  write_file(config, spike_config(spike, folder / name, ranks));
  std::vector<std::string> overrides = kHalfPrecision;
  overrides.insert(overrides.end(), more.begin(), more.end());
  return run_host(spike_arguments(config, ranks, overrides), {}, std::chrono::seconds(60));
}

// Runs `spike` with the hook ema undisturbed in "whole"; in "killed" with kill -9 in the middle of
// both epochs, a step after a save. Both must end equal.
void check_killed(const TempFolder& folder, Spike spike, int ranks,
                  const std::vector<std::string>& more) {
  spike.hooks = "{ name = \"ema\", decay = 0.8, warmup = 0.1 }, { name = \"kill_at\", file = \"" +
                (folder / "kill").string() + "\" }";
  const Result whole = run_ranks(folder, spike, "whole", ranks, more);
  INFO(whole.err);
  REQUIRE(whole.exit_code == 0);
  for (const char* kill : {"3 9\n", "7 9\n"}) {
    write_file(folder / "kill", kill);
    const Result killed = run_ranks(folder, spike, "killed", ranks, more);
    INFO("kill: " << kill << killed.err);
    REQUIRE(killed.exit_code == 5);
  }
  fs::remove(folder / "kill");
  const Result last = run_ranks(folder, spike, "killed", ranks, more);
  INFO(last.err);
  REQUIRE(last.exit_code == 0);
  CHECK(last.err.find("resuming at iteration 6 of") != std::string::npos);
  // The main files name size and checksum of each rank's file, so those are compared too.
  CHECK(differences(folder / "whole", folder / "killed") == "");
}

Node rank_file(const fs::path& run, int rank) {
  fs::path name = final_checkpoint(run);
  return vissl::host::read_torch_zip(
      name.replace_filename(name.stem().string() + "_rank" + std::to_string(rank) + ".torch"));
}

double scale_of(const Node& tree) {
  return tree.at("vissl_host").at("scaler").at("scale").as_real();
}

}  // namespace

TEST_CASE("ranks: killed runs of three in fp16 keep each rank's queue, the average, the scale") {
  const TempFolder folder;
  check_killed(folder, swav(), 3, {"machine.loss_scaling.init_scale=256"});
  const Node main = vissl::host::read_torch_zip(final_checkpoint(folder / "killed"));
  CHECK(scale_of(main) > 256);
  CHECK(main.at("vissl_host").at("twins").as_dict().find(std::string("ema_model")) != nullptr);
  const Node& first = main.at("loss").at("local_emb_queue");
  for (const int rank : {1, 2}) {
    CAPTURE(rank);
    const Node own = rank_file(folder / "killed", rank);
    CHECK(!vissl::host::same_values(own.at("buffers").at("loss").at("local_emb_queue"), first));
  }
}

TEST_CASE("ranks: killed runs of two keep what each has of its own of twins made in START") {
  const TempFolder folder;
  // Steps are skipped at first; buffers that nobody joins are each rank's own, also the twins'.
  check_killed(folder, moco(), 2,
               {"machine.loss_scaling.init_scale=1e8", "distributed.broadcast_buffers=false"});
  const Node main = vissl::host::read_torch_zip(final_checkpoint(folder / "killed"));
  CHECK(scale_of(main) < 1e8);
  const Node own = rank_file(folder / "killed", 1);
  for (const char* twin : {"loss.moco_encoder", "ema_model"}) {
    CAPTURE(twin);
    const Node& trunk = main.at("vissl_host").at("twins").at(twin).at("model").at("trunk");
    const Node& buffers = own.at("buffers").at(std::string("twin ") + twin);
    constexpr const char* kMean = "_feature_blocks.bn1.running_mean";
    CHECK(!vissl::host::same_values(buffers.at(std::string("trunk.") + kMean), trunk.at(kMean)));
  }
}
