// What loading costs: VISSL's list of slices, one file for each tensor, is never in memory as a
// whole.
#include <doctest/doctest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "host/weights/slices.hpp"
#include "process.hpp"
#include "temp_folder.hpp"

using namespace vissl::test;
using namespace vissl::host;
namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

// A ResNet-50 of full width, 94 MB, of which the largest tensor has 9.4 MB.
constexpr const char* kConfig = R"(
engine = { name = "extract_features" }
[data.test]
data_sources = [{ name = "synthetic", length = 1, size = 16, num_labels = 2 }]
batchsize_per_replica = 1
transforms = [{ name = "ToTensor" }]
[machine]
precision = "fp32"
threads = 1
[model]
trunk = { name = "resnet", depth = 50 }
[model.feature_eval]
eval_mode_on = true
freeze_trunk_only = true
extract_trunk_features_only = true
features = [{ name = "res5avg" }]
[optimizer]
name = "sgd"
num_epochs = 1
)";

Result run(const TempFolder& folder, const std::vector<std::string>& settings,
           std::vector<std::string> command = {}) {
  command.insert(command.end(), settings.begin(), settings.end());
  return run_host(run_arguments(folder / "run.toml", command));
}

// Writes slices for every tensor of the config's model; returns the largest one's bytes.
std::int64_t write_model(const TempFolder& folder, const fs::path& list) {
  const Result shown = run_host([&] {
    std::vector<std::string> arguments = {"show", "model", "--json"};
    for (const std::string& argument : run_arguments(folder / "run.toml"))
      arguments.push_back(argument);
    return arguments;
  }());
  REQUIRE(shown.exit_code == 0);
  Dict trunk;
  std::int64_t largest = 0;
  const Json model_shown = Json::parse(shown.out);
  for (const Json& tensor : model_shown["tensors"]) {
    std::string name = tensor["name"];
    for (const std::string prefix : {"trunk.", "base_model."})
      if (name.starts_with(prefix)) name.erase(0, prefix.size());
    const bool counts = tensor["dtype"] == "Long";
    const DType dtype = counts ? DType::int64 : DType::float32;
    const auto shape = tensor["shape"].get<std::vector<std::int64_t>>();
    std::int64_t bytes = static_cast<std::int64_t>(size_bytes(dtype));
    for (const std::int64_t length : shape) bytes *= length;
    const auto storage = Storage::allocate(static_cast<std::uint64_t>(bytes));
    std::memset(storage->writable().data(), 0, storage->size_bytes());
    trunk.set(name, Node(TensorRef::contiguous(dtype, shape, storage)));
    largest = std::max(largest, bytes);
  }
  WeightsFile whole;
  Node model = Node::dict();
  model["trunk"] = Node(std::move(trunk));
  model["heads"] = Node::dict();
  whole.tree = Node::dict();
  whole.tree["classy_state_dict"] = Node::dict();
  whole.tree["classy_state_dict"]["base_model"] = Node::dict();
  whole.tree["classy_state_dict"]["base_model"]["model"] = std::move(model);
  write_slices(list, whole, "model");
  return largest;
}

}  // namespace

TEST_CASE("weights: a list of slices loads within 1.2 times its largest tensor of memory") {
  const TempFolder folder;
  write_file(folder / "run.toml", kConfig);
  const fs::path list = folder / "sliced.torch";
  const std::int64_t largest = write_model(folder, list);
  REQUIRE(largest > 9'000'000);
  const Result without = run(folder, {"checkpoint.dir=" + (folder / "without").string()});
  REQUIRE(without.exit_code == 0);
  const Result with = run(folder, {"checkpoint.dir=" + (folder / "with").string(),
                                   "model.weights_init.params_file=" + list.string()});
  INFO(with.err);
  REQUIRE(with.exit_code == 0);
  CHECK(with.err.find("(100 % of the trunk) from ") != std::string::npos);
  INFO("without weights " << without.peak_bytes << ", with them " << with.peak_bytes << " bytes");
  CHECK(static_cast<double>(with.peak_bytes - without.peak_bytes) <
        1.2 * static_cast<double>(largest));
}
