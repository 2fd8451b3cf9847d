#include "host/files/safetensors_writer.hpp"

#include <doctest/doctest.h>

#include "host/files/error.hpp"
#include "host/files/weights_file.hpp"
#include "temp_folder.hpp"

namespace {

using namespace vissl::host;
using vissl::test::read_file;
using vissl::test::TempFolder;

NamedTensors tensors_of(const Node& tree) {
  NamedTensors out;
  for (const Dict::Entry& entry : tree.as_dict().entries()) {
    out.emplace_back(to_text(entry.key), entry.value.as_tensor());
  }
  return out;
}

std::string refusal(const NamedTensors& tensors, const TextPairs& metadata = {}) {
  MemorySink sink;
  try {
    write_safetensors(sink, tensors, metadata);
  } catch (const Error& error) {
    CHECK(error.code() == Exit::run_failed);
    return error.what();
  }
  return "no error";
}

TensorRef zeros(DType dtype, std::vector<std::int64_t> shape) {
  TensorRef tensor = TensorRef::contiguous(dtype, std::move(shape), nullptr);
  tensor.storage =
      Storage::allocate(static_cast<std::uint64_t>(tensor.numel()) * size_bytes(dtype));
  for (std::byte& b : tensor.storage->writable()) b = std::byte{0};
  return tensor;
}

}  // namespace

TEST_CASE("safetensors: a file of the format's own package is written back byte for byte") {
  const std::string golden =
      std::string(VISSL_SOURCE_DIR) + "/tests/golden/weights_files/safetensors_types.safetensors";
  const WeightsFile read = read_weights_file(golden);
  CHECK(read.metadata.size() == 2);
  NamedTensors tensors = tensors_of(read.tree);
  std::reverse(tensors.begin(), tensors.end());
  TempFolder folder;
  write_safetensors(folder / "again.safetensors", tensors, read.metadata);
  CHECK(read_file(folder / "again.safetensors") == read_file(golden));
}

TEST_CASE("safetensors: views, wide and two-in-a-byte elements are written as their elements") {
  const std::string golden =
      std::string(VISSL_SOURCE_DIR) + "/tests/golden/weights_files/zip_views.pth";
  Node tree = read_weights_file(golden).tree;
  TensorRef pairs = zeros(DType::float4_e2m1fn_x2, {2, 3});
  pairs.storage->writable()[5] = std::byte{0x21};
  tree["pairs"] = pairs;
  TempFolder folder;
  write_safetensors(folder / "views.safetensors", tensors_of(tree));
  const Node again = read_weights_file(folder / "views.safetensors").tree;
  REQUIRE(again.as_dict().size() == tree.as_dict().size());
  for (const Dict::Entry& entry : tree.as_dict().entries()) {
    CHECK(same_values(again.at(entry.key), entry.value));
  }
}

TEST_CASE("safetensors: what the format cannot hold is refused") {
  const TensorRef one = zeros(DType::float32, {1});
  CHECK(refusal({{"a", zeros(DType::complex128, {1})}}) ==
        "cannot write safetensors: it has no element type complex128, which 'a' has; write a torch "
        "file, or leave it out");
  CHECK(refusal({{"a", one}, {"b", one}, {"a", zeros(DType::int8, {1})}}) ==
        "cannot write safetensors: two tensors are called 'a'; rename one");
  CHECK(refusal({{"__metadata__", one}}) ==
        "cannot write safetensors: no tensor can be called '__metadata__'; rename it");
  CHECK(refusal({{"\xff", one}}).find("is not UTF-8") != std::string::npos);
  TensorRef beyond = one;
  beyond.offset = 1;
  CHECK(refusal({{"a", beyond}}) ==
        "cannot write safetensors: 'a' is a tensor that reaches beyond its storage");
  CHECK(refusal({}) == "no error");
}
