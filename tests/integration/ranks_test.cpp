// Runs of several ranks on this machine: equal to one rank with the joined batch, bit-equal after a
// resume, and ended by one clear sentence when a rank fails.
#include <doctest/doctest.h>

#include <cmath>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "host/files/checkpoint_set.hpp"
#include "host/files/npy.hpp"
#include "host/files/torch_zip_reader.hpp"
#include "process.hpp"
#include "run_files.hpp"
#include "small_config.hpp"
#include "temp_folder.hpp"

using namespace vissl::test;
using vissl::host::Node;
namespace fs = std::filesystem;

namespace {

// 96 samples in double precision; `world` ranks share batches of twelve.
std::vector<std::string> joined(int world, const std::string& dir) {
  return {"--nproc",
          std::to_string(world),
          "machine.precision=fp64",
          "data.train.data_sources=[{ name = \"synthetic\", length = 96, size = 16, "
          "random_images = true, num_labels = 4 }]",
          "data.test.data_sources=[{ name = \"synthetic\", length = 25, size = 16, "
          "random_images = true, num_labels = 4 }]",
          "data.train.batchsize_per_replica=" + std::to_string(12 / world),
          "data.test.batchsize_per_replica=4",
          "model.sync_bn.convert_bn_to_sync_bn=true",
          "optimizer.num_epochs=1",
          "distributed.stall_seconds=20",
          "checkpoint.dir=" + dir};
}

// The mean loss of each step of the last epoch; the checkpoint holds it times a rank's samples.
std::vector<double> losses_of(const fs::path& run, int world) {
  const Node tree = vissl::host::read_torch_zip(final_checkpoint(run));
  std::vector<double> losses;
  for (const Node& loss : tree.at("classy_state_dict").at("losses").as_items())
    losses.push_back(loss.as_real() * world / 12.0);
  return losses;
}

void run_well(const fs::path& config, const std::vector<std::string>& arguments) {
  const Result result = run_host(run_arguments(config, arguments), {}, std::chrono::seconds(120));
  INFO("signal " << result.signal << "\n" << result.err);
  REQUIRE(result.exit_code == 0);
}

// The small config with a hook that does on one rank what the file "kill" says.
fs::path config_with_kill(const TempFolder& folder, const std::string& name) {
  const fs::path config = folder / (name + ".toml");
  write_file(config, small_config(folder / name) + "[[hooks]]\nname = \"kill_at\"\nfile = \"" +
                         (folder / "kill").string() + "\"\n");
  return config;
}

const std::vector<std::string> kThreeRanks{"--nproc", "3", "data.train.batchsize_per_replica=4",
                                           "distributed.stall_seconds=4"};

// Three ranks of which one does what `kill` says.
Result disturbed(const TempFolder& folder, const std::string& kill,
                 const std::vector<std::string>& more = {}) {
  write_file(folder / "kill", kill);
  std::vector<std::string> arguments = kThreeRanks;
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_host(run_arguments(config_with_kill(folder, "run"), arguments), {},
                  std::chrono::seconds(60));
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// Runs one rank and each of `worlds`, and compares parameters, optimizer, losses and meters.
void check_equal(const std::vector<int>& worlds, const std::vector<std::string>& overrides) {
  const TempFolder folder;
  const fs::path config = folder / "run.toml";
  write_file(config, small_config(folder / "unused"));
  const auto run = [&](int world) {
    std::vector<std::string> arguments = joined(world, folder / std::to_string(world));
    arguments.insert(arguments.end(), overrides.begin(), overrides.end());
    run_well(config, arguments);
  };
  run(1);
  const std::vector<double> one = losses_of(folder / "1", 1);
  REQUIRE(one.size() >= 5);
  for (const int world : worlds) {
    CAPTURE(world);
    run(world);
    const fs::path many = folder / std::to_string(world);
    CHECK(largest_difference(folder / "1", many) < 1e-10);
    const std::vector<double> losses = losses_of(many, world);
    REQUIRE(losses.size() == one.size());
    for (std::size_t i = 0; i < one.size(); ++i) CHECK(std::abs(losses[i] - one[i]) < 1e-10);
    CHECK(read_file(many / "metrics.json") == read_file(folder / "1" / "metrics.json"));
  }
}

}  // namespace

TEST_CASE("ranks: 2, 3 and 4 ranks with cross entropy and sync batch norm equal one rank") {
  check_equal({2, 3, 4}, {});
}

TEST_CASE(
    "ranks: sync batch norm in groups of two takes the statistics of the group's rows alone") {
  const TempFolder folder;
  write_file(folder / "run.toml", small_config(folder / "unused"));
  // One step, in which rank r of four has row r; the checkpoint holds rank 0's statistics.
  const auto run = [&](int world, int rows, int batch) {
    const std::string name = std::to_string(world) + "_" + std::to_string(rows);
    run_well(folder / "run.toml",
             {"--nproc", std::to_string(world), "machine.precision=fp64", "optimizer.num_epochs=1",
              "data.train.data_sources=[{ name = \"synthetic\", length = " + std::to_string(rows) +
                  ", size = 16, random_images = true, num_labels = 4 }]",
              "data.train.batchsize_per_replica=" + std::to_string(batch),
              "data.train.sampler={ name = \"distributed\", shuffle = false }",
              "data.train.transforms=[{ name = \"ToTensor\" }]", "test_model=false",
              "model.sync_bn={ convert_bn_to_sync_bn = true, group_size = 2 }",
              "distributed.stall_seconds=20", "checkpoint.dir=" + (folder / name).string()});
    std::map<std::string, std::vector<double>> statistics = doubles_of(folder / name);
    std::erase_if(statistics, [](const auto& tensor) {
      return tensor.first.find("running_") == std::string::npos;
    });
    return statistics;
  };
  const auto ranks = run(4, 4, 1), pair = run(1, 2, 2), all = run(1, 4, 4);
  REQUIRE(pair.size() > 20);
  const auto difference = [&](const auto& others) {
    double largest = 0.0;
    for (const auto& [name, values] : ranks)
      for (std::size_t i = 0; i < values.size(); ++i)
        largest = std::max(largest, std::abs(values[i] - others.at(name).at(i)));
    return largest;
  };
  CHECK(difference(pair) < 1e-10);
  CHECK(difference(all) > 1e-4);
}

TEST_CASE("ranks: with recompute, two ranks equal one rank") {
  check_equal({2}, {"model.activation_checkpointing.use_activation_checkpointing=true"});
}

TEST_CASE("ranks: a loss over the joined batch gives two and three ranks what it gives one") {
  // Wide enough that rounding does not grow by much in each step.
  check_equal(
      {2, 3},
      {"model.trunk.width_multiplier=0.25", "model.heads=[{ name = \"mlp\", dims = [128, 16] }]",
       "data.train.data_sources=[{ name = \"synthetic\", length = 60, size = 16, "
       "random_images = true, num_labels = 4 }]",
       "loss={ name = \"simclr_info_nce_loss\", temperature = 0.5 }", "meters=[]",
       "data.train.collator={ name = \"simclr_collator\" }",
       "data.test.collator={ name = \"simclr_collator\" }", "test_model=false",
       "data.train.transforms=[{ name = \"ImgReplicatePil\", num_times = 2 }, "
       "{ name = \"RandomResizedCrop\", size = 16 }, { name = \"RandomHorizontalFlip\" }, "
       "{ name = \"ToTensor\" }]"});
}

TEST_CASE("ranks: a run of three ranks that is killed again and again ends bit-equal") {
  const TempFolder folder;
  run_well(config_with_kill(folder, "whole"), kThreeRanks);
  const fs::path config = config_with_kill(folder, "killed");
  // Rank 1 alone, all at once, rank 0 alone.
  for (const char* kill : {"5 9 1\n", "10 9\n", "17 9 0\n"}) {
    CAPTURE(kill);
    write_file(folder / "kill", kill);
    const Result result =
        run_host(run_arguments(config, kThreeRanks), {}, std::chrono::seconds(60));
    INFO(result.err);
    CHECK(result.exit_code == 5);
    const bool all = std::string(kill) == "10 9\n";  // nobody is left who could name the others
    for (const char* rank : {"0", "1", "2"})
      CHECK((result.err.find(std::string("rank ") + rank +
                             " was ended by signal 9 (Killed); was the memory used up?") !=
             std::string::npos) == all);
  }
  fs::remove(folder / "kill");
  const Result last = run_host(run_arguments(config, kThreeRanks), {}, std::chrono::seconds(60));
  INFO(last.err);
  REQUIRE(last.exit_code == 0);
  CHECK(last.err.find("resuming at iteration 15 of") != std::string::npos);
  CHECK(differences(folder / "whole", folder / "killed") == "");
  CHECK(fs::exists(folder / "killed" / "model_final_checkpoint_phase2_rank2.torch"));
}

TEST_CASE("ranks: a checkpoint without one of its rank files is passed over") {
  const TempFolder folder;
  const Result stopped = disturbed(folder, "8 15\n");
  INFO(stopped.err);
  REQUIRE(stopped.exit_code == 75);
  fs::remove(folder / "kill");
  fs::remove(folder / "run" / "model_iteration8_rank2.torch");
  const Result resumed =
      run_host(run_arguments(folder / "run.toml", kThreeRanks), {}, std::chrono::seconds(60));
  INFO(resumed.err);
  CHECK(resumed.exit_code == 0);
  CHECK(resumed.err.find("its rank file 'model_iteration8_rank2.torch' is missing") !=
        std::string::npos);
  CHECK(resumed.err.find("resuming at iteration 7 of") != std::string::npos);
}

TEST_CASE("ranks: a signal to one rank saves all at the same step, and the run goes on bit-equal") {
  const TempFolder folder;
  run_well(config_with_kill(folder, "whole"), kThreeRanks);
  const Result stopped = disturbed(folder, "10 15 2\n");
  INFO(stopped.err);
  CHECK(stopped.exit_code == 75);
  CHECK(count_of(stopped.err, "saved at iteration 10") == 1);
  fs::remove(folder / "kill");
  run_well(folder / "run.toml", kThreeRanks);
  CHECK(differences(folder / "whole", folder / "run") == "");
}

TEST_CASE("ranks: a killed rank ends the run with code 5 and is named") {
  for (const char* rank : {"0", "1"}) {
    CAPTURE(rank);
    const TempFolder folder;
    const Result result = disturbed(folder, std::string("5 9 ") + rank + "\n");
    INFO(result.err);
    CHECK(result.exit_code == 5);
    CHECK(result.seconds < 30.0);
    CHECK(result.err.find(std::string("rank ") + rank + " is lost") != std::string::npos);
  }
}

TEST_CASE("ranks: a rank that stands still ends the run within the limit and is named") {
  for (const char* rank : {"0", "2"}) {
    CAPTURE(rank);
    const TempFolder folder;
    const Result result = disturbed(folder, std::string("5 19 ") + rank + "\n");
    INFO(result.err);
    CHECK(result.exit_code == 5);
    CHECK(result.err.find(std::string("rank ") + rank) != std::string::npos);
    CHECK(result.err.find("stalled") != std::string::npos);
  }
}

TEST_CASE("ranks: a rank that works on elsewhere while the others wait for it is named") {
  // Between two steps, and while the others' gradients are on their way.
  for (const std::string place : {"0", "1 loss"}) {
    const std::string rank = place.substr(0, 1);
    CAPTURE(rank);
    const TempFolder folder;
    const Result result =
        disturbed(folder, "5 -60 " + place + "\n", {"distributed.timeout_seconds=5"});
    INFO(result.err);
    CHECK(result.exit_code == 5);
    CHECK(result.seconds < 30.0);
    CHECK(count_of(result.err, "error: ") == 1);
    CHECK(result.err.find("rank " + rank + " is stalled: rank ") != std::string::npos);
    CHECK(
        result.err.find(" waited 5 s (distributed.timeout_seconds) in an exchange to which rank " +
                        rank + " did not come") != std::string::npos);
  }
}

TEST_CASE("ranks: an error of one rank ends all with its text and code, said once") {
  for (const char* rank : {"0", "2"}) {
    CAPTURE(rank);
    const TempFolder folder;
    const Result result = disturbed(folder, std::string("5 0 ") + rank + "\n");
    INFO(result.err);
    CHECK(result.exit_code == 1);
    CHECK(count_of(result.err, "error: ") == 1);
    CHECK(count_of(result.err, "the file asks to fail here") == 1);
    CHECK(read_file(folder / "run" / "log.txt").find("the file asks to fail here") !=
          std::string::npos);
  }
}

TEST_CASE("ranks: one rank's refusal of the config while it starts ends all with code 2") {
  for (const char* rank : {"0", "2"}) {
    CAPTURE(rank);
    const TempFolder folder;
    const Result result = disturbed(folder, std::string("-1 0 ") + rank + "\n");
    INFO(result.err);
    CHECK(result.exit_code == 2);
    CHECK(result.seconds < 15.0);
    CHECK(count_of(result.err, "error: ") == 1);
    CHECK(count_of(result.err, "the file asks to refuse the config here") == 1);
    CHECK((result.err.find("error: rank 2: ") != std::string::npos) == (*rank == '2'));
  }
}

TEST_CASE("ranks: checkpoints that only rank 0 reads, and cannot, end all with code 4") {
  const TempFolder folder;
  const Result stopped = disturbed(folder, "8 15\n");
  INFO(stopped.err);
  REQUIRE(stopped.exit_code == 75);
  for (const auto& entry : fs::directory_iterator(folder / "run"))
    if (entry.path().extension() == ".torch" && !entry.is_symlink())
      fs::resize_file(entry.path(), fs::file_size(entry.path()) / 2);
  fs::remove(folder / "kill");
  const Result result =
      run_host(run_arguments(folder / "run.toml", kThreeRanks), {}, std::chrono::seconds(60));
  INFO(result.err);
  CHECK(result.exit_code == 4);
  CHECK(result.seconds < 15.0);
  CHECK(count_of(result.err, "error: ") == 1);
  CHECK(result.err.find("none of its checkpoints can be read") != std::string::npos);
}

TEST_CASE("ranks: an error that all ranks meet keeps its own code and is said once") {
  const TempFolder folder;
  const Result result = disturbed(folder, "5 0\n");
  INFO(result.err);
  CHECK(result.exit_code == 1);
  CHECK(count_of(result.err, "the file asks to fail here") == 1);
}

TEST_CASE("ranks: a sharded optimizer with layer-wise rates is bit-equal, also after a resume") {
  const TempFolder folder;
  std::vector<std::string> arguments = kThreeRanks;
  arguments.push_back("optimizer.larc={ clip = true }");
  run_well(config_with_kill(folder, "whole"), arguments);
  arguments.push_back("distributed.zero=true");
  write_file(folder / "kill", "10 15\n");
  const fs::path config = config_with_kill(folder, "sharded");
  const Result stopped = run_host(run_arguments(config, arguments), {}, std::chrono::seconds(60));
  INFO(stopped.err);
  REQUIRE(stopped.exit_code == 75);
  CHECK(stopped.err.find(", state sharded over 3 ranks") != std::string::npos);
  fs::remove(folder / "kill");
  run_well(config, arguments);
  CHECK(differences(folder / "whole", folder / "sharded") == "");
}

TEST_CASE("ranks: features and neighbours of two ranks are those of one") {
  const TempFolder folder;
  write_file(folder / "train.toml", small_config(folder / "run"));
  run_well(folder / "train.toml", {"optimizer.num_epochs=1", "test_model=false"});
  const std::string weights =
      "[model.weights_init]\nname = \"pretrained\"\nparams_file = \"run/checkpoint.torch\"\n";
  // 25 test samples: one rank has a batch more than the other.
  const std::string test =
      "data.test.data_sources=[{ name = \"synthetic\", length = 25, size = 16, random_images = "
      "true, num_labels = 4 }]";
  write_file(folder / "features.toml",
             "extends = [\"train.toml\"]\nengine = { name = \"extract_features\" }\n" + weights);
  for (const char* nproc : {"1", "2"})
    run_well(folder / "features.toml", {"--nproc", nproc, test, "data.test.batchsize_per_replica=4",
                                        "checkpoint.dir=" + (folder / nproc).string()});
  const auto rows = [&](const std::string& run, const std::string& rank, const char* what) {
    return vissl::host::read_npy(folder / run / ("rank" + rank + "_chunk0_test_heads_" + what));
  };
  const auto bytes = [](const vissl::host::TensorRef& t) { return t.packed(); };
  const auto whole = bytes(rows("1", "0", "features.npy"));
  const std::size_t row_bytes = whole.size() / 25;
  std::size_t seen = 0;
  for (const char* rank : {"0", "1"}) {
    const auto features = bytes(rows("2", rank, "features.npy"));
    const auto raw = bytes(rows("2", rank, "inds.npy"));
    std::vector<std::int64_t> indices(raw.size() / sizeof(std::int64_t));
    std::memcpy(indices.data(), raw.data(), raw.size());
    for (std::size_t i = 0; i < indices.size(); ++i, ++seen) {
      CHECK(indices[i] % 2 == (*rank == '1' ? 1 : 0));
      const auto* own = features.data() + i * row_bytes;
      const auto* one = whole.data() + static_cast<std::size_t>(indices[i]) * row_bytes;
      CHECK(std::memcmp(own, one, row_bytes) == 0);
    }
  }
  CHECK(seen == 25);

  write_file(folder / "knn.toml",
             "extends = [\"train.toml\"]\n[engine]\nname = \"nearest_neighbor\"\ntopk = [5]\n"
             "features = [{ name = \"res5avg\" }]\nbaselines = [\"random_init\"]\n" +
                 weights);
  for (const char* nproc : {"1", "2"})
    run_well(folder / "knn.toml",
             {"--nproc", nproc, test, "checkpoint.dir=" + (folder / "knn").string() + nproc});
  for (const char* file : {"kNN_res5avg_output_predictions.npy", "kNN_res5avg_output_targets.npy",
                           "kNN_random_init_output_predictions.npy"})
    CHECK_MESSAGE(read_file(folder / "knn1" / file) == read_file(folder / "knn2" / file), file);
}
