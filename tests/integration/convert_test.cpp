// What convert makes of files that do not fit another container as they are.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "process.hpp"
#include "temp_folder.hpp"

using namespace vissl::test;
namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

const fs::path kGolden = fs::path(VISSL_SOURCE_DIR) / "tests/golden/weights_files";

Result host(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--plugins", VISSL_PLUGIN_DIR});
  return run_host(arguments);
}

std::map<std::string, Json> by_name(const Json& tensors) {
  std::map<std::string, Json> out;
  for (const Json& tensor : tensors) out[tensor.at("name")] = tensor;
  return out;
}

std::map<std::string, Json> tensors_of(const std::string& file) {
  return by_name(Json::parse(host({"inspect", "--json", "--sha256", file}).out).at("tensors"));
}

Json manifest_entry(const std::string& name) {
  std::ifstream file(kGolden / "manifest.json");
  for (const Json& entry : Json::parse(file))
    if (entry.at("file") == name) return entry;
  FAIL("the manifest has no " << name);
  return {};
}

}  // namespace

TEST_CASE("convert: quantised tensors become the floats that torch makes of them, and it is said") {
  const TempFolder folder;
  const std::string in = kGolden / "zip_quantized.pth";
  const auto expected = by_name(manifest_entry("zip_quantized.pth").at("dequantized"));
  for (const auto& [name, to] :
       {std::pair{"out.pth", "torch"}, {"out.safetensors", "safetensors"}}) {
    CAPTURE(to);
    const std::string out = folder / name;
    const Result result = host({"convert", in, out, "--to", to});
    CHECK(result.exit_code == 0);
    CHECK(result.err == "warning: " + in +
                            ": 4 quantised tensors become float32, scale and zero point applied\n");
    CHECK(tensors_of(out) == expected);
  }
}

TEST_CASE("inspect: --max and --json are refused together, and a folder is shown without a size") {
  const TempFolder folder;
  const std::string in = kGolden / "zip_training.pth";
  const Result both = host({"inspect", in, "--json", "--max", "2"});
  CHECK(both.exit_code == 2);
  CHECK(both.out == "");
  CHECK(both.err == "error: --max shortens the text; --json lists every tensor, leave one out\n");
  fs::copy_file(in, folder / "pytorch_model.bin");
  const Result shown = host({"inspect", folder.path().string()});
  CHECK(shown.out.starts_with(folder.path().string() + ": torch_zip\nContents\n"));
  CHECK(host({"inspect", in}).out.starts_with(in + ": torch_zip, "));
}
