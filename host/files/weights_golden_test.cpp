// Every golden file of weights against what Python read from it (scripts/oracle/weights_files.py).
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "host/files/error.hpp"
#include "host/files/tensor_list.hpp"
#include "host/files/weights_file.hpp"

namespace {

using namespace vissl::host;
using Json = nlohmann::json;

const std::string kFolder = std::string(VISSL_SOURCE_DIR) + "/tests/golden/weights_files/";

Json manifest() {
  std::ifstream file(kFolder + "manifest.json");
  return Json::parse(file);
}

Json listed(const Node& tree) {
  Json out = Json::array();
  for_each_tensor(tree, [&out](const std::string& name, const TensorRef& tensor) {
    out.push_back({{"name", name},
                   {"dtype", facts(tensor.dtype).name},
                   {"shape", tensor.shape},
                   {"sha256", tensor_sha256(tensor)}});
  });
  return out;
}

// Programs of releases before 1.6 have their attributes in an order of their own.
Json in_order(Json tensors, const std::string& format) {
  if (format == "torchscript") std::sort(tensors.begin(), tensors.end());
  return tensors;
}

void check_equal(const Json& expected, const Json& found) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(found[i] == expected[i]);
}

}  // namespace

TEST_CASE("weights: every tensor of every golden file equals Python's by SHA-256") {
  const Json entries = manifest();
  CHECK(entries.size() >= 40);
  for (const Json& entry : entries) {
    const std::string name = entry["file"];
    CAPTURE(name);
    WeightsFile file;
    REQUIRE_NOTHROW(file = read_weights_file(kFolder + name));
    CHECK(file.format == entry["format"]);
    check_equal(in_order(entry["tensors"], file.format), in_order(listed(file.tree), file.format));
    WeightsReadOptions thorough;
    thorough.verify = true;
    CHECK(same_values(read_weights_file(kFolder + name, thorough).tree, file.tree));
  }
}

TEST_CASE("weights: quantised tensors become the floats that torch makes of them, when asked") {
  for (const Json& entry : manifest()) {
    if (!entry.contains("dequantized")) continue;
    const std::string name = entry["file"];
    WeightsReadOptions options;
    options.dequantize = true;
    check_equal(entry["dequantized"], listed(read_weights_file(kFolder + name, options).tree));
    return;
  }
  FAIL("no golden file has quantised tensors");
}
