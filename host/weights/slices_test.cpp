#include "host/weights/slices.hpp"

#include <doctest/doctest.h>

#include <map>

#include "host/files/error.hpp"
#include "host/files/tensor_list.hpp"
#include "temp_folder.hpp"

namespace {

using namespace vissl::host;

const std::string kGolden = std::string(VISSL_SOURCE_DIR) + "/tests/golden/weights_files/";
const std::string kModel = "classy_state_dict.base_model.model.";

std::map<std::string, std::string> model_hashes(const Node& tree) {
  std::map<std::string, std::string> out;
  for_each_tensor(tree, [&out](const std::string& name, const TensorRef& tensor) {
    if (name.starts_with(kModel)) out[name] = tensor_sha256(tensor);
  });
  return out;
}

}  // namespace

TEST_CASE("convert: shards become slices, slices a consolidated file, with every head and trunk") {
  const vissl::test::TempFolder folder;
  const WeightsFile shards = read_weights_file(kGolden + "vissl_shards.torch");
  const auto expected = model_hashes(shards.tree);
  REQUIRE(expected.size() > 2);
  const auto list = folder.path() / "sliced.torch";
  const Contents written = write_slices(list, shards, "shards.torch");
  CHECK(model_hashes(read_weights_file(list).tree) == expected);
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(slices_folder(list)))
    files += entry.path().extension() == ".torch" ? 1u : 0u;
  CHECK(files == expected.size());

  const auto whole = folder.path() / "whole.torch";
  const WeightsFile sliced = read_weights_file(list);
  write_container(whole, Container::torch,
                  contents_of(sliced, Container::torch, "", "sliced.torch"));
  const WeightsFile consolidated = read_weights_file(whole);
  CHECK(consolidated.format == "torch_zip");
  CHECK(consolidated.tree.at("type").as_text() == "consolidated");
  CHECK(consolidated.tree.find("shards") == nullptr);
  CHECK(model_hashes(consolidated.tree) == expected);
}

TEST_CASE("convert: slices are made of VISSL's checkpoints alone") {
  const vissl::test::TempFolder folder;
  const WeightsFile file = read_weights_file(kGolden + "zip_training.pth");
  CHECK_THROWS_WITH_AS(write_slices(folder.path() / "a.torch", file, "b.pth"),
                       "b.pth has no tensor below 'classy_state_dict.base_model.model.trunk'; "
                       "slices are made of VISSL's checkpoints, which --to vissl makes of others",
                       Error);
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("convert: slices of two tensors of one dotted path are refused, and none is written") {
  const vissl::test::TempFolder folder;
  WeightsFile file;
  Node& trunk = file.tree["classy_state_dict"]["base_model"]["model"]["trunk"];
  const TensorRef tensor = TensorRef::contiguous(DType::float32, {0}, Storage::allocate(0));
  trunk["a.b"] = tensor;
  trunk["a"]["b"] = tensor;
  CHECK_THROWS_WITH_AS(
      write_slices(folder.path() / "a.torch", file, "b.pth"),
      doctest::Contains("two tensors have the name 'classy_state_dict.base_model.model.trunk.a.b'"),
      Error);
  CHECK(std::filesystem::is_empty(folder.path()));
}
