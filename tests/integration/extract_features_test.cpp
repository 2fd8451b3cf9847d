// What extract_features writes, against torch's own forward pass.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "host/files/npy.hpp"
#include "process.hpp"
#include "small_config.hpp"
#include "temp_folder.hpp"

using namespace vissl::test;
using vissl::host::DType;
using vissl::host::TensorRef;
namespace fs = std::filesystem;

namespace {

constexpr const char* kConfig = R"(
engine = { name = "extract_features" }
seed_value = 3
[data.test]
data_sources = [{ name = "wave_images", length = 7, size = 16, num_labels = 5 }]
batchsize_per_replica = 3
transforms = [{ name = "ToTensor" }]
[machine]
precision = "fp32"
[model]
trunk = { name = "resnet", depth = 18, width_multiplier = 0.0625, stem_kernel = 3, stem_stride = 1, stem_pool = false }
[model.feature_eval]
eval_mode_on = true
freeze_trunk_only = true
extract_trunk_features_only = true
features = [{ name = "res4", pool = "AdaptiveAvgPool2d", args = [[2, 2]] }, { name = "res5avg" }]
[optimizer]
name = "sgd"
num_epochs = 1
)";

template <class T>
std::vector<T> values_of(const TensorRef& tensor) {
  const std::vector<std::byte> bytes = tensor.packed();
  std::vector<T> out(bytes.size() / sizeof(T));
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

}  // namespace

TEST_CASE("extract_features: values are torch's in fp32, and sets of labels keep their columns") {
  const TempFolder folder;
  write_file(folder / "run.toml", kConfig);
  const Result result =
      run_host(run_arguments(folder / "run.toml", {"checkpoint.dir=" + (folder / "run").string()}));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  std::ifstream golden(VISSL_SOURCE_DIR "/tests/golden/components/extract_features.json");
  const nlohmann::json expected = nlohmann::json::parse(golden);
  for (const std::string layer : {"res4", "res5avg"}) {
    CAPTURE(layer);
    const std::string stem = "rank0_chunk0_test_" + layer + "_";
    const TensorRef features = vissl::host::read_npy(folder / "run" / (stem + "features.npy"));
    CHECK(features.dtype == DType::float32);
    REQUIRE(features.shape == expected[layer]["shape"].get<std::vector<std::int64_t>>());
    const auto wanted = expected[layer]["data"].get<std::vector<double>>();
    const std::vector<float> met = values_of<float>(features);
    double worst = 0.0, largest = 0.0;
    for (std::size_t i = 0; i < met.size(); ++i) {
      worst = std::max(worst, std::abs(double{met[i]} - wanted[i]));
      largest = std::max(largest, std::abs(wanted[i]));
    }
    CHECK(largest > 0.01);
    CHECK(worst < 1e-5 * largest);
    const TensorRef targets = vissl::host::read_npy(folder / "run" / (stem + "targets.npy"));
    CHECK(targets.dtype == DType::int64);
    REQUIRE(targets.shape == std::vector<std::int64_t>{7, 5});
    const auto labels = values_of<std::int64_t>(targets);
    for (std::int64_t i = 0; i < 7; ++i)
      for (std::int64_t k = 0; k < 5; ++k)
        CHECK(labels[static_cast<std::size_t>(5 * i + k)] == ((i + k) % 3 == 0   ? 1
                                                              : (i + k) % 5 == 1 ? -1
                                                                                 : 0));
  }
}
