// What users get wrong, and what machines do to them: one clear error, the right exit code, nothing
// saved is lost.
#include <doctest/doctest.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <random>

#include "process.hpp"
#include "run_files.hpp"
#include "small_config.hpp"
#include "temp_folder.hpp"

using namespace vissl::test;
namespace fs = std::filesystem;

namespace {

fs::path write_config(const TempFolder& folder, const std::string& more = "") {
  const fs::path config = folder / "run.toml";
  write_file(config, small_config(folder / "run") + more);
  return config;
}

// Exactly one line of error, with all of `parts`, and the exit code.
void expect_error(const Result& result, int exit_code, const std::vector<std::string>& parts) {
  INFO(result.err);
  CHECK(result.exit_code == exit_code);
  const auto at = result.err.find("error: ");
  REQUIRE(at != std::string::npos);
  const std::string error = result.err.substr(at);
  for (const std::string& part : parts) CHECK_MESSAGE(error.find(part) != std::string::npos, part);
  CHECK(result.err.find("error: ", at + 1) == std::string::npos);
  CHECK(error.find("terminate called") == std::string::npos);
}

// One white pixel.
constexpr unsigned char kPng[] = {0x89, 'P', 'N', 'G', 0x0d, 0x0a, 0x1a, 0x0a, 0,    0,    0,    13,
                                  'I',  'H', 'D', 'R', 0,    0,    0,    1,    0,    0,    0,    1,
                                  8,    2,   0,   0,   0,    0x90, 0x77, 0x53, 0xde, 0,    0,    0,
                                  12,   'I', 'D', 'A', 'T',  8,    0xd7, 0x63, 0xf8, 0xcf, 0xc0, 0,
                                  0,    3,   1,   1,   0,    0x18, 0xdd, 0x8d, 0xb0, 0,    0,    0,
                                  0,    'I', 'E', 'N', 'D',  0xae, 0x42, 0x60, 0x82};

void image_folder(const fs::path& root, int per_class) {
  for (const char* name : {"cat", "dog"}) {
    fs::create_directories(root / name);
    for (int i = 0; i < per_class; ++i) {
      write_file(root / name / (std::to_string(i) + ".png"),
                 std::string_view(reinterpret_cast<const char*>(kPng), sizeof kPng));
    }
  }
}

std::string folder_source(const fs::path& root) {
  return "data.train.data_sources=[{ name = \"disk_folder\", path = \"" + root.string() + "\" }]";
}

}  // namespace

TEST_CASE("bad input: a data folder that does not exist is named, exit code 4") {
  const TempFolder folder;
  const fs::path root = folder / "nowhere";
  expect_error(run_host(run_arguments(write_config(folder), {folder_source(root)})), 4,
               {root.string()});
}

TEST_CASE("bad input: an empty folder and a class without images are named, exit code 4") {
  const TempFolder folder;
  fs::create_directories(folder / "empty");
  expect_error(run_host(run_arguments(write_config(folder), {folder_source(folder / "empty")})), 4,
               {(folder / "empty").string()});
  image_folder(folder / "images", 2);
  fs::create_directories(folder / "images" / "bird");
  expect_error(run_host(run_arguments(write_config(folder), {folder_source(folder / "images")})), 4,
               {"bird"});
}

TEST_CASE(
    "bad input: unreadable images are counted, logged with their path, and end the run above the "
    "threshold with exit code 4") {
  const TempFolder folder;
  image_folder(folder / "images", 40);
  write_file(folder / "images" / "cat" / "7.png", "this is no picture");
  write_file(folder / "images" / "dog" / "9.png",
             std::string_view(reinterpret_cast<const char*>(kPng), 40));
  const fs::path config = write_config(folder);
  const Result few = run_host(
      run_arguments(config, {folder_source(folder / "images"), "data.max_invalid_fraction=0.1",
                             "model.heads[0].dims=[32, 4]"}));
  INFO(few.err);
  CHECK(few.exit_code == 0);
  CHECK(few.err.find("7.png") != std::string::npos);
  CHECK(few.err.find("9.png") != std::string::npos);
  const Result many = run_host(
      run_arguments(config, {folder_source(folder / "images"), "data.max_invalid_fraction=0.001",
                             "checkpoint.overwrite_existing=true"}));
  expect_error(many, 4, {"max_invalid_fraction"});
}

TEST_CASE("bad input: images that stay bytes are refused with the transform that they need") {
  const TempFolder folder;
  expect_error(
      run_host(run_arguments(write_config(folder),
                             {"data.train.transforms=[{ name = \"RandomHorizontalFlip\" }]"})),
      2, {"Byte values of shape [8, 16, 16, 3]", "add ToTensor"});
}

TEST_CASE("bad input: a crop larger than the images and too many channels are the config's fault") {
  const TempFolder folder;
  const fs::path config = write_config(folder);
  expect_error(run_host(run_arguments(
                   config, {"data.train.transforms=[{ name = \"RandomCrop\", size = 32 }, "
                            "{ name = \"ToTensor\" }]"})),
               2, {"32 x 32", "larger than the image of 16 x 16"});
  expect_error(
      run_host(run_arguments(config, {"data.train.transforms=[{ name = \"ToTensor\" }, { name = "
                                      "\"Normalize\", mean = [0.5, 0.5], std = [1, 1] }]"})),
      2, {"Normalize has 2 numbers for an image of 3 channels"});
}

TEST_CASE("bad input: heads that do not fit one another are named, by run, check and show model") {
  const TempFolder folder;
  const fs::path config = write_config(folder);
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{}, {"check"}, {"show", "model"}}) {
    std::vector<std::string> arguments = run_arguments(
        config, {"model.heads=[[{ name = \"mlp\", dims = [32, 8] }, { name = \"mlp\", dims = [16, "
                 "4] }]]"});
    arguments.insert(arguments.begin(), command.begin(), command.end());
    expect_error(run_host(arguments), 2,
                 {"model.heads[0][1] (mlp) takes 16 channels", "before it gives 8"});
  }
}

TEST_CASE("bad input: a hook that is named twice is refused with both places, exit code 2") {
  const TempFolder folder;
  const fs::path config = write_config(
      folder, "[[hooks]]\nname = \"tensorboard\"\n[[hooks]]\nname = \"tensorboard\"\n");
  std::vector<std::string> arguments = run_arguments(config);
  arguments.insert(arguments.begin(), "check");
  expect_error(run_host(arguments), 2, {"run.toml:", "'tensorboard' twice"});
}

TEST_CASE("bad input: a head that does not fit the trunk names both widths, exit code 2") {
  const TempFolder folder;
  expect_error(run_host(run_arguments(write_config(folder), {"model.heads[0].dims=[48, 4]"})), 2,
               {"48", "32"});
}

TEST_CASE("bad input: a label outside the classes is named with the number of classes") {
  const TempFolder folder;
  expect_error(run_host(run_arguments(write_config(folder), {"model.heads[0].dims=[32, 3]"})), 1,
               {"label 3 has no class", "3 classes, 0 to 2"});
}

TEST_CASE(
    "bad input: a loss that is not finite ends the run with exit code 1 and keeps the last "
    "checkpoint") {
  const TempFolder folder;
  const fs::path config = write_config(folder);
  const Result result =
      run_host(run_arguments(config, {"optimizer.param_schedulers.lr.start_value=1e30"}));
  expect_error(result, 1, {"not finite", "iteration", "learning rate"});
}

TEST_CASE("bad input: weights that are not finite are never saved; the last checkpoint stays") {
  const TempFolder folder;
  const fs::path config = write_config(folder);
  REQUIRE(run_host(run_arguments(config, {"optimizer.num_epochs=1"})).exit_code == 0);
  const std::string before = read_file(final_checkpoint(folder / "run"));
  // The only step: the loss before it is finite, the weights after it are not.
  const Result result = run_host(run_arguments(
      config,
      {"optimizer.num_epochs=2", "optimizer.weight_decay=1000", "data.train.data_limit.count=16",
       "data.train.batchsize_per_replica=16", "optimizer.param_schedulers.lr.start_value=3e38",
       "optimizer.param_schedulers.lr.end_value=3e38",
       "checkpoint.dir=\"" + (folder / "other").string() + "\""}));
  expect_error(result, 1, {"trunk.", "is not finite any more", "learning rate"});
  CHECK(read_file(final_checkpoint(folder / "run")) == before);
  for (const auto& entry : fs::directory_iterator(folder / "other"))
    CHECK_MESSAGE(entry.path().extension() != ".torch", entry.path().string());
}

TEST_CASE("bad input: a finished run does not pass for one of another config, exit code 2") {
  const TempFolder folder;
  const fs::path config = write_config(folder);
  REQUIRE(run_host(run_arguments(config, {"optimizer.num_epochs=1"})).exit_code == 0);
  const std::string before = read_file(final_checkpoint(folder / "run"));
  const Result again =
      run_host(run_arguments(config, {"optimizer.num_epochs=1", "log_frequency=7"}));
  CHECK(again.exit_code == 0);
  CHECK(again.err.find("this run is finished") != std::string::npos);
  expect_error(
      run_host(run_arguments(config, {"optimizer.num_epochs=1", "seed_value=5"})), 2,
      {(folder / "run").string(), "another config (seed_value was 0, is 5)", "overwrite_existing"});
  CHECK(read_file(final_checkpoint(folder / "run")) == before);
  // More epochs of the same are a run that goes on.
  const Result more = run_host(run_arguments(config, {"optimizer.num_epochs=2"}));
  INFO(more.err);
  CHECK(more.exit_code == 0);
  CHECK(more.err.find("resuming at iteration") != std::string::npos);
  CHECK(more.err.find("optimizer.num_epochs was 1, is 2") != std::string::npos);
}

TEST_CASE("bad input: a resume with another learning rate warns, and checkpoint.exact refuses it") {
  const TempFolder folder;
  const fs::path config = write_config(folder);
  REQUIRE(run_host(run_arguments(config, {"optimizer.num_epochs=1"})).exit_code == 0);
  fs::remove(folder / "run" / "summary.json");
  const std::vector<std::string> changed = {"optimizer.num_epochs=1", "optimizer.weight_decay=0.5"};
  std::vector<std::string> exact = changed;
  exact.push_back("checkpoint.exact=true");
  expect_error(run_host(run_arguments(config, exact)), 2,
               {"optimizer.weight_decay was", "is 0.5", "checkpoint.exact"});
  const Result result = run_host(run_arguments(config, changed));
  CHECK(result.exit_code == 0);
  CHECK(result.err.find("optimizer.weight_decay was") != std::string::npos);
}

TEST_CASE("bad input: a schedule that no parameter group uses is named, exit code 2") {
  const TempFolder folder;
  expect_error(run_host(run_arguments(
                   write_config(folder),
                   {"optimizer.param_schedulers.momentun={ name = \"constant\", value = 0.5 }"})),
               2, {"'momentun'", "hyper-parameters of sgd", "momentum"});
}

TEST_CASE("bad input: a folder that cannot be written is named, exit code 1") {
  const TempFolder folder;
  write_file(folder / "file", "");
  const std::string dir = (folder / "file" / "run").string();
  std::vector<std::string> arguments =
      run_arguments(write_config(folder), {"checkpoint.dir=\"" + dir + "\""});
  expect_error(run_host(arguments), 1, {dir});
  arguments.insert(arguments.begin(), "check");
  expect_error(run_host(arguments), 1, {dir});
}

TEST_CASE("bad input: in a run folder that has become read-only, what was saved stays as it is") {
  // Root writes everywhere, unless the programs that it starts may not get this capability.
  if (::geteuid() == 0) REQUIRE(::prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE) == 0);
  const TempFolder folder;
  const fs::path config = write_config(folder);
  REQUIRE(run_host(run_arguments(config, {"optimizer.num_epochs=1"})).exit_code == 0);
  const std::string before = read_file(final_checkpoint(folder / "run"));
  fs::remove(folder / "run" / "summary.json");
  for (const auto& entry : fs::recursive_directory_iterator(folder / "run"))
    if (entry.is_regular_file()) ::chmod(entry.path().c_str(), 0400);
  ::chmod((folder / "run").c_str(), 0500);
  const Result result = run_host(run_arguments(config, {"optimizer.num_epochs=2"}));
  ::chmod((folder / "run").c_str(), 0700);
  expect_error(result, 1, {(folder / "run").string(), "Permission denied", "writable"});
  CHECK(read_file(final_checkpoint(folder / "run")) == before);
}

TEST_CASE(
    "bad input: a second run on the same folder is refused and the first one is not disturbed") {
  const TempFolder folder;
  const fs::path config = write_config(folder);
  bool tried = false;
  Result second;
  const Result first = run_host(run_arguments(config, {"optimizer.num_epochs=6"}), [&](pid_t) {
    if (!fs::exists(folder / "run" / "stdout.json")) return false;
    second = run_host(run_arguments(config, {"optimizer.num_epochs=6"}));
    return tried = true;
  });
  REQUIRE(tried);
  INFO(first.err);
  CHECK(first.exit_code == 0);
  expect_error(second, 1, {"another run uses this folder", (folder / "run").string()});
}

TEST_CASE(
    "bad input: a file system without space while saving ends the run with exit code 1; the last "
    "checkpoint stays and the run resumes") {
  const TempFolder folder;
  const fs::path config = write_config(folder);
  REQUIRE(run_host(run_arguments(config, {"optimizer.num_epochs=1"})).exit_code == 0);
  const std::string before = read_file(final_checkpoint(folder / "run"));
  fs::remove(folder / "run" / "summary.json");
  // A limit on the size of files stands for a full disk, which needs a file system of its own:
  // writing past it fails in the middle of the checkpoint with EFBIG where a disk gives ENOSPC. The
  // sentence for ENOSPC itself is tested with atomic files.
  rlimit old{};
  ::getrlimit(RLIMIT_FSIZE, &old);
  const rlimit small{before.size() / 2, old.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &small);
  const Result full = run_host(run_arguments(config, {"optimizer.num_epochs=2"}));
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  expect_error(full, 1, {"cannot write", "model_"});
  CHECK(read_file(final_checkpoint(folder / "run")) == before);
  for (const auto& entry : fs::directory_iterator(folder / "run")) {
    CHECK_MESSAGE(entry.path().string().find(".partial") == std::string::npos,
                  entry.path().string());
  }
  const Result again = run_host(run_arguments(config, {"optimizer.num_epochs=2"}));
  INFO(again.err);
  CHECK(again.exit_code == 0);
  CHECK(again.err.find("resuming at iteration 11") != std::string::npos);
}

TEST_CASE("bad input: of a checkpoint cut at any place the run says so and takes the one before") {
  const TempFolder folder;
  const fs::path config = write_config(folder);
  REQUIRE(run_host(run_arguments(config, {"optimizer.num_epochs=1"})).exit_code == 0);
  const fs::path newest = final_checkpoint(folder / "run");
  const std::string whole = read_file(newest);
  fs::copy(folder / "run", folder / "whole",
           fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  std::mt19937 random(5);
  for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, whole.size() / 2, whole.size() - 1,
                                std::size_t{random() % whole.size()}}) {
    fs::remove(folder / "run" / "summary.json");  // as after a crash at the end of training
    write_file(newest, std::string_view(whole).substr(0, cut));
    const Result result = run_host(run_arguments(config, {"optimizer.num_epochs=1"}));
    INFO("cut at byte " << cut << "\n" << result.err);
    CHECK(result.exit_code == 0);
    CHECK(result.err.find(newest.filename().string()) != std::string::npos);
    CHECK(result.err.find("resuming at iteration 9") != std::string::npos);
    CHECK(differences(folder / "whole", folder / "run") == "");
  }
}

TEST_CASE(
    "bad input: when every checkpoint is damaged the run refuses to begin anew, exit code 4") {
  const TempFolder folder;
  const fs::path config = write_config(folder);
  REQUIRE(run_host(run_arguments(config, {"optimizer.num_epochs=1", "checkpoint.iter_frequency=0"}))
              .exit_code == 0);
  write_file(final_checkpoint(folder / "run"), "cut");
  fs::remove(folder / "run" / "summary.json");
  expect_error(
      run_host(run_arguments(config, {"optimizer.num_epochs=1", "checkpoint.iter_frequency=0"})), 4,
      {(folder / "run").string(), "overwrite_existing"});
}

TEST_CASE("bad input: a resume with another model names what differs and changes nothing") {
  const TempFolder folder;
  const fs::path config = write_config(folder);
  REQUIRE(run_host(run_arguments(config, {"optimizer.num_epochs=1"})).exit_code == 0);
  const std::string before = read_file(final_checkpoint(folder / "run"));
  fs::remove(folder / "run" / "summary.json");
  const Result result = run_host(
      run_arguments(config, {"optimizer.num_epochs=2", "model.trunk.width_multiplier=0.125",
                             "model.heads[0].dims=[64, 4]"}));
  expect_error(result, 4, {"model_", "shape"});
  CHECK(read_file(final_checkpoint(folder / "run")) == before);
}

TEST_CASE(
    "bad input: weights that are missing, no checkpoint, or match nothing are refused with the "
    "reason") {
  const TempFolder folder;
  const fs::path config = write_config(
      folder, "[model.weights_init]\nname = \"pretrained\"\nparams_file = \"w.torch\"\n");
  expect_error(run_host(run_arguments(config)), 4, {"w.torch"});
  write_file(folder / "w.torch", "<html>not found</html>");
  expect_error(run_host(run_arguments(config)), 4, {"w.torch"});
  // A checkpoint of this project, all of whose names get a prefix that no model has.
  const fs::path other = folder / "other.toml";
  write_file(other, small_config(folder / "other"));
  REQUIRE(run_host(run_arguments(other, {"optimizer.num_epochs=1"})).exit_code == 0);
  fs::copy_file(final_checkpoint(folder / "other"), folder / "w.torch",
                fs::copy_options::overwrite_existing);
  const std::string place =
      "model.weights_init.state_dict_key_name=[\"classy_state_dict\", \"base_model\", \"model\", "
      "\"trunk\"]";
  expect_error(run_host(run_arguments(config, {place})), 2, {"w.torch", "append_prefix"});
  expect_error(
      run_host(run_arguments(config, {place, "model.weights_init.append_prefix=\"trunk.no.\""})), 2,
      {"w.torch", "no tensor of the file fits the model", "append_prefix = \"trunk.\""});
}

TEST_CASE(
    "bad input: checkpoints of an earlier run with auto_resume off are not mixed with a new one, "
    "exit code 2") {
  const TempFolder folder;
  const fs::path config = write_config(folder);
  REQUIRE(run_host(run_arguments(config, {"optimizer.num_epochs=1"})).exit_code == 0);
  fs::remove(folder / "run" / "summary.json");
  const std::string before = read_file(final_checkpoint(folder / "run"));
  expect_error(
      run_host(run_arguments(config, {"optimizer.num_epochs=1", "checkpoint.auto_resume=false"})),
      2, {(folder / "run").string(), "auto_resume"});
  CHECK(read_file(final_checkpoint(folder / "run")) == before);
}

TEST_CASE("bad input: a resume with another batch size is refused with both sizes, exit code 2") {
  const TempFolder folder;
  const fs::path config = write_config(folder);
  REQUIRE(run_host(run_arguments(config, {"optimizer.num_epochs=1"})).exit_code == 0);
  fs::remove(folder / "run" / "summary.json");
  expect_error(run_host(run_arguments(
                   config, {"optimizer.num_epochs=2", "data.train.batchsize_per_replica=4"})),
               2, {"11 steps of 8 samples", "22 of 4"});
}

TEST_CASE("bad input: an output of the model that is not finite is named with its iteration") {
  const TempFolder folder;
  const Result result = run_host(
      run_arguments(write_config(folder),
                    {"optimizer.param_schedulers.lr.start_value=1e30", "test_model=false"}));
  expect_error(
      result, 1,
      {"output 0 (heads) of the model has 32 of 32 values that are not finite at iteration "
       "1 (epoch 0); lower the learning rate"});
}

TEST_CASE("bad input: plugins whose results cannot be used are named with their fault") {
  const TempFolder folder;
  const fs::path config = write_config(folder);
  const auto run_with = [&](const std::string& setting) {
    return run_host(run_arguments(config, {setting, "optimizer.num_epochs=1"}));
  };
  expect_error(run_with("loss.name=loss_per_row"), 1,
               {"error: loss (loss_per_row) did not return a single number"});
  expect_error(run_with("model.trunk={ name = \"lazy_trunk\" }"), 1,
               {"trunk 'lazy_trunk': the trunk did not compute its feature 'last'"});
  expect_error(run_with("hooks=[{ name = \"metric_of_text\" }]"), 3,
               {"the metric 'words' is no JSON object: no number"});
}

TEST_CASE("bad input: fields that nothing would use, or nothing gives, are refused") {
  const TempFolder folder;
  const fs::path config = write_config(folder);
  expect_error(run_host(run_arguments(config, {"data.train.input_key_names=[\"absent\"]"})), 2,
               {"the batch has no field 'absent', which input_key_names asks for; its collator is "
                "the place to look"});
  expect_error(run_host(run_arguments(config, {"data.train.input_key_names=[\"data\", \"more\"]"})),
               2, {"data.train.input_key_names names several fields", "[[model.inputs]]"});
  expect_error(
      run_host(run_arguments(config, {"data.test.target_key_names=[\"label\", \"more\"]"})), 2,
      {"data.test.target_key_names names several fields, but a loss has one target"});
  expect_error(
      run_host(run_arguments(config, {"model.feature_eval.features=[{ name = \"res4\" }]"})), 2,
      {"model.feature_eval.features is used only with eval_mode_on = true"});
}
